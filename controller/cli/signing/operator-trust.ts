import { setTimeout as sleep } from 'node:timers/promises';
import { type Client, problem as contractProblem, endpoints } from '@bootswarm/controller/contract';
import { Problem } from '@bootswarm/images/format';
import {
  checkRoot,
  MOST_BYTES,
  maySign,
  outlineOf,
  type Target,
  targetsIn,
  verifyTargets,
  withTargets,
} from '@bootswarm/images/trust';
import { problem } from '../problems.ts';
import type { KeyFolder } from './key-folder.ts';

/** Others publish at the same time: each of them costs one try. */
const TRIES = 20;
const RETRY_MS = 100;

/** Metadata of the controller that was held against what these keys know. */
export interface CurrentTrust {
  readonly root: string;
  readonly targets: string;
}

export interface TargetsEdit {
  readonly add?: readonly Target[];
  /** Paths. */
  readonly remove?: readonly string[];
}

/**
 * What the controller holds, verified from the root that the folder knows. A controller that was taken over thus gets
 * nothing signed which it made up.
 * @throws Problem trust_missing, trust_not_known, trust_other, targets_went_back
 */
export async function currentTrust(
  client: Client,
  keys: KeyFolder,
  signal: AbortSignal,
  tries = 3,
): Promise<CurrentTrust> {
  const shown = await client.call(endpoints.showTrust, {}, { signal });
  if (shown.root === null || shown.targets === null) throw contractProblem('trust_missing');
  const known = keys.known();
  if (!known) throw problem('trust_not_known', { facts: { folder: keys.path } });
  const root = await newestRoot(client, known.root, keys, signal);
  const { version } = outlineOf(shown.targets);
  try {
    verifyTargets(root, shown.targets);
  } catch (error) {
    // Another one rotated the keys between the two calls: the next look has both.
    if (root === shown.root || tries === 1) throw error;
    return currentTrust(client, keys, signal, tries - 1);
  }
  if (version < known.targetsVersion)
    throw problem('targets_went_back', { facts: { version, seen: known.targetsVersion } });
  keys.settle(root);
  if (root !== known.root || version !== known.targetsVersion)
    keys.keepKnown({ root, targetsVersion: version });
  return { root, targets: shown.targets };
}

/** Goes from the root that is known to the newest, each signed by the one before. */
async function newestRoot(
  client: Client,
  known: string,
  keys: KeyFolder,
  signal: AbortSignal,
): Promise<string> {
  const other = (reason: string, cause?: unknown): Problem =>
    problem('trust_other', { facts: { folder: keys.path, reason }, cause });
  const { version } = outlineOf(known);
  const same = await fetchRoot(client, version, signal);
  if (same !== known) throw other(`its root of version ${version} ${same ? 'is another' : 'is missing'}`);
  for (let root = known; ; ) {
    const next = await fetchRoot(client, outlineOf(root).version + 1, signal);
    if (next === undefined) return root;
    try {
      checkRoot(root, next, new Date(0));
    } catch (error) {
      throw other((error as Error).message, error);
    }
    root = next;
  }
}

async function fetchRoot(client: Client, version: number, signal: AbortSignal): Promise<string | undefined> {
  try {
    const params = { file: `${version}.root.json` };
    const response = await client.fetch(endpoints.fetchTrustFile, { params }, { signal });
    return (await response.text()).slice(0, MOST_BYTES.root + 1);
  } catch (error) {
    if (error instanceof Problem && error.code === 'trust_file_unknown') return undefined;
    throw error;
  }
}

/**
 * Signs a change of the targets and sends it. Where someone else was faster it is made anew on what that one left.
 * @param edit what to change, looking at what is there; undefined where there is nothing to do.
 * @returns what `send` gave, or undefined.
 * @throws Problem as `currentTrust`, key_missing, key_not_trusted, and what `edit` and `send` throw.
 */
export async function signTargets<T>(
  {
    client,
    keys,
    signal,
  }: { readonly client: Client; readonly keys: KeyFolder; readonly signal: AbortSignal },
  edit: (targets: ReadonlyMap<string, Target>) => TargetsEdit | undefined,
  send: (targets: string) => Promise<T>,
): Promise<T | undefined> {
  for (let tries = 1; ; tries++) {
    const { root, targets } = await currentTrust(client, keys, signal);
    const change = edit(targetsIn(targets));
    if (!change) return undefined;
    const key = keys.key('targets');
    if (!maySign(root, 'targets', key.publicKey))
      throw problem('key_not_trusted', { facts: { role: 'targets', file: keys.fileOf('targets') } });
    try {
      return await send(withTargets(targets, change, key));
    } catch (error) {
      const isLate =
        error instanceof Problem && ['metadata_version', 'changed_meanwhile'].includes(error.code);
      if (!isLate || tries >= TRIES) throw error;
      await sleep(RETRY_MS * Math.random() * tries, undefined, { signal });
    }
  }
}
