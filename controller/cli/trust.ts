import { type Client, endpoints, type Trust } from '@bootswarm/controller/contract';
import type { SigningKey } from '@bootswarm/images/format';
import {
  keysOf,
  makeRoot,
  maySign,
  outlineOf,
  type RoleKeys,
  releaseTarget,
  withTargets,
} from '@bootswarm/images/trust';
import type { Command } from 'commander';
import { problem } from './problems.ts';
import { inSession, type Session } from './session.ts';
import {
  KeyFolder,
  type KeyOptions,
  keysOption,
  type OperatorRole,
  rootKeyOption,
} from './signing/key-folder.ts';
import { type CurrentTrust, currentTrust, signTargets } from './signing/operator-trust.ts';
import { trustReport, trustText } from './signing/trust-text.ts';

const ROTATED = ['root', 'targets', 'online'] as const;

export function addTrust(program: Command): void {
  const trust = program
    .command('trust')
    .description('Whose signatures edges and machines believe: keys and signed metadata (TUF).');
  addInit(trust);
  addShow(trust);
  addRotate(trust);
  addRenew(trust);
}

function addInit(trust: Command): void {
  trust
    .command('init')
    .summary('make the keys, once')
    .description(
      'Makes a root key and a targets key for this controller, and signs what is published already. Keep root.pem offline afterwards: only rotating keys needs it.',
    )
    .addOption(keysOption())
    .addOption(rootKeyOption())
    .action((options: KeyOptions, command: Command) =>
      inSession(command, async ({ output, signal, client }) => {
        const keys = new KeyFolder(options);
        const controller = client();
        const shown = await controller.call(endpoints.showTrust, {}, { signal });
        if (shown.root !== null)
          throw problem('trust_exists', { facts: { version: outlineOf(shown.root).version } });
        const releases = await controller.releases.list({}, { signal }).all();
        const [rootKey, targetsKey] = [keys.ensureKey('root'), keys.ensureKey('targets')];
        const root = makeRoot(undefined, withKeys(shown, rootKey, targetsKey), [rootKey]);
        const add = releases.map(({ manifest }) => releaseTarget(manifest));
        const targets = withTargets(undefined, { add }, targetsKey);
        await controller.call(endpoints.replaceRoot, { body: { root, targets } }, { signal });
        keys.keepKnown({ root, targetsVersion: outlineOf(targets).version });
        const result = { folder: keys.path, rootKey: keys.fileOf('root'), signed: releases.length };
        output.result(result, () =>
          [
            `Keys are in ${keys.path}; ${releases.length} releases were signed.`,
            `Keep ${keys.fileOf('root')} offline: only 'bootswarm trust rotate' and 'trust renew' need it (--root-key).`,
          ].join('\n'),
        );
      }),
    );
}

function withKeys(
  { onlineKeys }: Pick<Trust, 'onlineKeys'>,
  root: SigningKey,
  targets: SigningKey,
): RoleKeys {
  return {
    root: [root.publicKey],
    targets: [targets.publicKey],
    snapshot: [onlineKeys.snapshot],
    timestamp: [onlineKeys.timestamp],
  };
}

function addShow(trust: Command): void {
  trust
    .command('show')
    .description('Show which keys count, what they signed, and until when.')
    .addOption(keysOption())
    .addOption(rootKeyOption())
    .action((options: KeyOptions, command: Command) =>
      inSession(command, async ({ output, signal, client }) => {
        const controller = client();
        const shown = await controller.call(endpoints.showTrust, {}, { signal });
        const keys = new KeyFolder(options);
        // What is shown is verified, where these keys are of this controller.
        const verified =
          shown.root !== null && keys.known() ? await currentTrust(controller, keys, signal) : undefined;
        output.result(trustReport(shown, keys, verified !== undefined, new Date()), trustText);
      }),
    );
}

function addRotate(trust: Command): void {
  trust
    .command('rotate')
    .summary('replace a key')
    .description(
      "Replaces a key: the root key, the targets key, or the controller's own two (online). The root key signs each of them.",
    )
    .argument('<key>', ROTATED.join(', '))
    .addOption(keysOption())
    .addOption(rootKeyOption())
    .action((what: string, options: KeyOptions, command: Command) =>
      inSession(command, async (session) => {
        const rotated = ROTATED.find((each) => each === what);
        if (!rotated)
          throw problem('argument_invalid', {
            field: 'key',
            facts: { text: what, reason: `is none of ${ROTATED.join(', ')}` },
          });
        const signer = await rootSigner(session, options);
        const { root } = await ROTATE[rotated](signer);
        session.output.result(
          { rotated, rootVersion: outlineOf(root).version },
          ({ rootVersion }) =>
            `Rotated ${rotated === 'online' ? "the controller's own keys" : `the ${rotated} key`}; the root has version ${rootVersion}.`,
        );
      }),
    );
}

function addRenew(trust: Command): void {
  trust
    .command('renew')
    .summary('sign for another year')
    .description(
      'Signs the targets for another year, and the root as well where its key is at hand. Publishing renews the targets by itself.',
    )
    .addOption(keysOption())
    .addOption(rootKeyOption())
    .action((options: KeyOptions, command: Command) =>
      inSession(command, async (session) => {
        const { signal, client, output } = session;
        const [controller, keys] = [client(), new KeyFolder(options)];
        if (keys.has('root')) {
          const signer = await rootSigner(session, options);
          await signer.replace(keysOf(signer.current.root), []);
        }
        const renewed = await signTargets(
          { client: controller, keys, signal },
          () => ({}),
          (targets) => controller.call(endpoints.renewTargets, { body: { targets } }, { signal }),
        );
        if (renewed) output.result(trustReport(renewed, keys, true, new Date()), trustText);
      }),
    );
}

/** Someone with the root key, about to make the next root. */
interface RootSigner {
  readonly client: Client;
  readonly keys: KeyFolder;
  readonly signal: AbortSignal;
  readonly current: CurrentTrust;
  /** Signs a root with these keys, with the root key of now and whoever else, and sends it. */
  readonly replace: (
    keys: RoleKeys,
    beside: readonly SigningKey[],
    targets?: string,
  ) => Promise<CurrentTrust>;
}

async function rootSigner({ client, signal }: Session, options: KeyOptions): Promise<RootSigner> {
  const [controller, keys] = [client(), new KeyFolder(options)];
  const current = await currentTrust(controller, keys, signal);
  const rootKey = keys.key('root');
  requireNamed(current.root, 'root', rootKey, keys);
  return {
    client: controller,
    keys,
    signal,
    current,
    async replace(roleKeys, beside, targets) {
      const root = makeRoot(current.root, roleKeys, [rootKey, ...beside]);
      const body = { root, ...(targets === undefined ? {} : { targets }) };
      await controller.call(endpoints.replaceRoot, { body }, { signal });
      return currentTrust(controller, keys, signal);
    },
  };
}

function requireNamed(root: string, role: OperatorRole, { publicKey }: SigningKey, keys: KeyFolder): void {
  if (!maySign(root, role, publicKey))
    throw problem('key_not_trusted', { facts: { role, file: keys.fileOf(role) } });
}

const ROTATE: Readonly<Record<(typeof ROTATED)[number], (signer: RootSigner) => Promise<CurrentTrust>>> = {
  root({ keys, current, replace }) {
    const next = keys.makeNextKey('root');
    return replace({ ...keysOf(current.root), root: [next.publicKey] }, [next]);
  },
  targets({ keys, current, replace }) {
    const next = keys.makeNextKey('targets');
    const targets = withTargets(current.targets, {}, next);
    return replace({ ...keysOf(current.root), targets: [next.publicKey] }, [], targets);
  },
  async online({ client, signal, current, replace }) {
    const { snapshot, timestamp } = await client.call(endpoints.makeOnlineKeys, {}, { signal });
    return replace({ ...keysOf(current.root), snapshot: [snapshot], timestamp: [timestamp] }, []);
  },
};
