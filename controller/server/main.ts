/** The controller as a program: wiring, start and stop. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { Problem } from '@bootswarm/images/format';
import { ArtefactFolder } from '@bootswarm/images/swarm';
import { Command, InvalidArgumentError } from 'commander';
import { pino } from 'pino';
import { ensureOperatorToken } from './access/tokens.ts';
import { collectDaily } from './catalogue/garbage-daily.ts';
import { keepTrimmed } from './events/upkeep.ts';
import { WebhookCourier } from './events/webhook-courier.ts';
import { type Listener, listen } from './http/listener.ts';
import { apiOf } from './http/routes.ts';
import { keepExpiring } from './machines/expiry.ts';
import { isRecordKey } from './machines/record-ring.ts';
import { networkRule } from './outgoing/network-rule.ts';
import { BmcNetworks } from './power/networks.ts';
import { makeServices, type Services } from './services.ts';
import { problem, type StartOptions, startProblem } from './start-problems.ts';
import { holdFolder } from './store/hold-folder.ts';
import { LmdbStore } from './store/lmdb-store.ts';
import type { StateStore } from './store/state-store.ts';
import { Seeds } from './swarm/seeds.ts';
import { keepResigning } from './trust/resigning.ts';

/** For requests that run when the controller is told to stop; twice this at most (http/listener.ts). */
const GRACE_MS = 4000;

/**
 * The heap is collected once it has grown by so much. V8 would let it grow to some times what lives in it: 690 to 940 MB
 * were held for 110 that live with 100,000 machines, and with this 425, at the same rates (`npm run bench -- controller`).
 */
const HEAP_GROWING_PERCENT = 40;

const command = new Command('bootswarm-controller')
  .description('The central server: catalogue, machines, edges.')
  .option('--data <folder>', 'where state and artefacts live', '/var/lib/bootswarm/controller')
  .option('--address <address>', 'address to listen on', '0.0.0.0')
  .option('--port <port>', 'TCP port to listen on; 0 takes a free one', portOf, 8470)
  .option('--swarm-port <port>', 'TCP port at which edges fetch images; 0 takes a free one', portOf, 8482)
  .option('--bmc-network <cidr...>', 'where BMCs are (default: private addresses); spoken to nowhere else')
  .option('--power-commands <folder>', 'programs that BMCs of kind command may run')
  .option('--rollout-commands <folder>', 'programs that health checks of rollouts may run')
  .option(
    '--webhook-network <cidr...>',
    'networks that webhooks, and hooks and health URLs of rollouts, may be in, such as 10.0.0.0/8 (default: any but loopback, link-local and metadata)',
    networksOf,
    [],
  )
  .option('--new-operator-token', 'replace the operator token, which is shown once')
  .parse();

interface Options extends StartOptions {
  readonly newOperatorToken?: true;
  readonly webhookNetwork: readonly string[];
  readonly bmcNetwork?: readonly string[];
  readonly powerCommands?: string;
  readonly rolloutCommands?: string;
}

const log = pino({ name: 'controller' });
const options = command.opts<Options>();
try {
  await start();
} catch (error) {
  const found = error instanceof Problem ? error : startProblem(error as NodeJS.ErrnoException, options);
  if (found) log.fatal({ code: found.code, remedy: found.remedy }, found.message);
  else log.fatal({ err: error }, 'the controller failed to start');
  process.exitCode = 1;
}

async function start(): Promise<void> {
  setFlagsFromString(`--heap-growing-percent=${HEAP_GROWING_PERCENT}`);
  const { data, address } = options;
  const networks = bmcNetworks(options.bmcNetwork);
  mkdirSync(data, { recursive: true, mode: 0o700 });
  await holdFolder(data).catch((error: unknown) => {
    throw problem('folder_in_use', { facts: { data }, cause: error });
  });
  const store = LmdbStore.open(join(data, 'state'), (key) => !isRecordKey(key));
  const services = await makeServices(store, await ArtefactFolder.open(join(data, 'artefacts')), {
    data,
    networks,
    commands: options.powerCommands,
    rollouts: { commands: options.rolloutCommands },
    webhookNetworks: options.webhookNetwork,
    onDefect: (error) => log.error({ err: error }, 'what goes on by itself failed'),
  });
  const seeds = await startSeeds(services);
  const courier = new WebhookCourier({ ...services, isAllowed: networkRule(options.webhookNetwork), log });
  const listener = await listen(apiOf({ ...services, seeds, courier }, log), options.port, address).catch(
    async (error: unknown) => {
      await courier.stop();
      await seeds.stop();
      throw error;
    },
  );
  await services.power.resume();
  await services.rolloutDesk.start();
  const stopCollecting = collectDaily(services.garbage, log);
  const stopWatching = services.lifeWatch.start(log);
  const stopTrimming = keepTrimmed([services.events, services.answers], log);
  await tellOperatorToken(services.store);
  const stopResigning = keepResigning(services.trust, log);
  const stopExpiring = keepExpiring(services.reservations, log);
  const { port } = listener;
  log.info(
    { swarmPort: seeds.port, url: `http://${address}:${port}`, port, data, version: services.version },
    'controller is up',
  );

  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => {
      log.info({ signal }, 'stopping');
      stopResigning();
      stopExpiring();
      const timers = [stopCollecting, stopWatching, stopTrimming, () => courier.stop()];
      void stop(listener, { ...services, seeds }, timers);
    });
}

/** @throws Problem port_in_use */
async function startSeeds({ artefacts, releases, edgeSwarm }: Services): Promise<Seeds> {
  const { address, swarmPort: port } = options;
  const published = async () => (await releases.list()).map(({ manifest }) => manifest);
  const isAllowed = (from: string): boolean => edgeSwarm.isAllowed(from);
  try {
    return await Seeds.start({ port, address, isAllowed, folder: artefacts, published, log });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    throw problem('port_in_use', { facts: { address, port, option: '--swarm-port' }, cause: error });
  }
}

/**
 * Made once the port is ours, so that a start that fails does not use it up. It goes past the logger, as a
 * line of its own: whoever sends log records elsewhere does not send this.
 */
async function tellOperatorToken(store: StateStore): Promise<void> {
  const operatorToken = await ensureOperatorToken(store, options.newOperatorToken === true);
  if (operatorToken === undefined) return;
  const note = "the operator's token: keep it, it is shown this once and stored as a hash";
  process.stdout.write(`${JSON.stringify({ operatorToken, note })}\n`);
}

async function stop(
  listener: Listener,
  { events, feed, machines, power, rollouts, rolloutDesk, seeds, store }: Services,
  stops: readonly (() => Promise<void>)[],
): Promise<void> {
  await Promise.all(stops.map((each) => each()));
  await seeds?.stop();
  events.stop();
  feed.stop();
  machines.stop();
  rollouts.stop();
  await rolloutDesk.stop();
  await power.stop();
  // A store that is closed under a running request would fail it; one that is left open loses nothing.
  if (await listener.close(GRACE_MS)) await store.close();
  else log.warn('stopped while requests were running');
  process.exit(0);
}

function portOf(text: string): number {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 0 || port > 65535)
    throw new InvalidArgumentError('must be a port between 0 and 65535');
  return port;
}

/** @throws Problem network_invalid */
function bmcNetworks(cidrs: readonly string[] | undefined): BmcNetworks {
  try {
    return new BmcNetworks(cidrs);
  } catch (error) {
    throw problem('network_invalid', {
      field: '--bmc-network',
      facts: { reason: (error as Error).message },
      cause: error,
    });
  }
}

/** Commander calls it for each value with those before. */
function networksOf(text: string, before: readonly string[]): readonly string[] {
  try {
    networkRule([text]);
  } catch (error) {
    throw new InvalidArgumentError((error as Error).message);
  }
  return [...before, text];
}
