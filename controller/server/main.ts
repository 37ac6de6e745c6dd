/** The controller as a program: wiring, start and stop. */
import { mkdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { type Intent, problem } from '@bootswarm/controller/contract';
import { makeSigningKey, type SigningKey } from '@bootswarm/images/format';
import { ArtefactFolder } from '@bootswarm/images/swarm';
import { getRequestListener } from '@hono/node-server';
import { Command, InvalidArgumentError } from 'commander';
import { pino } from 'pino';
import { actorOf, ensureOperatorToken } from './access/tokens.ts';
import { Releases } from './catalogue/releases.ts';
import { Uploads } from './catalogue/uploads.ts';
import { DesiredStateFeed } from './edges/desired-state-feed.ts';
import { Edges } from './edges/edges.ts';
import { Segments } from './edges/segments.ts';
import { makeApi } from './http/api.ts';
import { addRoutes, type Services } from './http/routes.ts';
import { Machines } from './machines/machines.ts';
import { LmdbStore } from './store/lmdb-store.ts';
import type { StateStore } from './store/state-store.ts';
import { transact } from './store/transact.ts';

interface Options {
  readonly data: string;
  readonly address: string;
  readonly port: number;
  readonly newOperatorToken?: true;
}

const command = new Command('bootswarm-controller')
  .description('The central server: catalogue, machines, edges.')
  .option('--data <folder>', 'where state and artefacts live', '/var/lib/bootswarm/controller')
  .option('--address <address>', 'address to listen on', '0.0.0.0')
  .option('--port <port>', 'TCP port to listen on', portOf, 8470)
  .option('--new-operator-token', 'replace the operator token, which is shown once')
  .parse();

const log = pino({ name: 'controller' });
await start(command.opts<Options>()).catch((error: NodeJS.ErrnoException) => {
  log.fatal(explain(error, command.opts<Options>()));
  process.exitCode = 1;
});

async function start(options: Options): Promise<void> {
  mkdirSync(options.data, { recursive: true, mode: 0o700 });
  const store = LmdbStore.open(join(options.data, 'state'));
  const services = await makeServices(options, store);
  const operatorToken = await ensureOperatorToken(store, options.newOperatorToken === true);

  const api = makeApi({
    actorOf: (token) => actorOf(store, token, new Date()),
    log,
    version: services.version,
  });
  addRoutes(api, services);
  const server = createServer(getRequestListener(api.fetch, { overrideGlobalObjects: false }));
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(options.port, options.address, resolve);
  });

  const url = `http://${options.address}:${options.port}`;
  log.info({ url, data: options.data, version: services.version }, 'controller is up');
  if (operatorToken !== undefined)
    log.info({ operatorToken }, "the operator's token: keep it, it is shown this once and stored as a hash");

  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => {
      log.info({ signal }, 'stopping');
      server.close();
      server.closeAllConnections();
      void store.close().then(() => process.exit(0));
    });
}

async function makeServices(options: Options, store: StateStore): Promise<Services> {
  const key = await ensureSigningKey(store);
  const artefacts = await ArtefactFolder.open(join(options.data, 'artefacts'));
  const uploads = new Uploads(store, artefacts);
  const releases = new Releases(store);
  const checkIntent = async (intent: Intent): Promise<void> => {
    if (intent.kind === 'live' && !(await releases.find(intent.release)))
      throw problem('machine_release_unknown', { field: 'release', facts: { release: intent.release } });
  };
  const segments = new Segments(store, checkIntent);
  const machines = new Machines(store, checkIntent);
  const edges = new Edges(store, key.publicKey);
  const fleet = async () => ({
    segments: await segments.list(),
    machines: await machines.list(),
    manifests: (await releases.list()).map((release) => release.manifest),
  });
  const feed = new DesiredStateFeed(store, fleet, key.privateKey);
  return { version: versionOf(), store, artefacts, uploads, releases, segments, machines, edges, feed };
}

/** The key that signs desired states. Edges learn its public half when they join. */
function ensureSigningKey(store: StateStore): Promise<SigningKey> {
  return transact(store, 'the signing key', async (reads) => {
    const entry = await reads.get('signing-key');
    if (entry) return { result: entry.value as SigningKey };
    const made = makeSigningKey();
    return { put: { 'signing-key': made }, result: made };
  });
}

function versionOf(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

function portOf(text: string): number {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 1 || port > 65535)
    throw new InvalidArgumentError('must be a port between 1 and 65535');
  return port;
}

/** Start errors that an operator meets, with the remedy. */
function explain(error: NodeJS.ErrnoException, options: Options): string {
  switch (error.code) {
    case 'EADDRINUSE':
      return `port ${options.port} is in use on ${options.address}: end the other program ('ss -ltnp' shows it) or choose another with --port`;
    case 'EADDRNOTAVAIL':
      return `no interface of this host has the address ${options.address}: choose another with --address`;
    case 'EACCES':
      return `no permission for ${error.path ?? `port ${options.port}`}: run as root, or choose others with --data and --port`;
    default:
      return error.stack ?? error.message;
  }
}
