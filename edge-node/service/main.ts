/** The edge node as a program: wiring, start and stop. */
import { mkdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { DesiredState, JournalRecord } from '@bootswarm/controller/contract';
import { Problem } from '@bootswarm/images/format';
import { ArtefactFolder } from '@bootswarm/images/swarm';
import { FIRMWARE } from '@bootswarm/ipxe';
import { Command, InvalidArgumentError } from 'commander';
import { pino } from 'pino';
import { problem } from './problems.ts';
import { Counters } from './sockets/counters.ts';
import { DhcpServer } from './sockets/dhcp-server.ts';
import { startHttpServer } from './sockets/http-server.ts';
import { type Listener, listenerOn } from './sockets/interfaces.ts';
import { TftpServer } from './sockets/tftp-server.ts';
import { EdgeStore } from './state/edge-store.ts';
import { Serving } from './state/serving.ts';
import { ArtefactSync } from './uplink/artefact-sync.ts';
import { ensureCredentials, Uplink } from './uplink/uplink.ts';

interface Options {
  readonly controller: string;
  readonly data: string;
  readonly interface: readonly string[];
  readonly httpPort: number;
}

const command = new Command('bootswarm-edge')
  .description('Serves segments: DHCP, TFTP and HTTP boot. Goes on when the controller is down.')
  .requiredOption('--controller <url>', 'such as http://controller:8470')
  .requiredOption('--interface <name...>', 'interfaces to serve on')
  .option('--data <folder>', 'where leases, journal and artefacts live', '/var/lib/bootswarm/edge')
  .option('--http-port <port>', 'TCP port of scripts and artefacts', portOf, 8480)
  .addHelpText('after', '\nThe join token is taken from the environment: BOOTSWARM_JOIN_TOKEN.')
  .parse();

const log = pino({ name: 'edge', level: process.env['BOOTSWARM_LOG_LEVEL'] ?? 'info' });
await start(command.opts<Options>()).catch((error: unknown) => {
  if (error instanceof Problem) log.fatal(error.toBody(), `${error.message}. ${error.remedy}`);
  else log.fatal({ err: error }, 'the edge cannot start');
  process.exit(1);
});

async function start(options: Options): Promise<void> {
  const listeners = options.interface.map(listenerOn);
  const firmware = await loadFirmware();
  mkdirSync(options.data, { recursive: true, mode: 0o700 });
  const store = EdgeStore.open(join(options.data, 'state'), {
    onLoss: (error) => log.error({ err: error }, 'a journal record is lost'),
  });
  const counters = new Counters();
  const folder = await ArtefactFolder.open(join(options.data, 'artefacts'));
  let uplink: Uplink | undefined;
  const addToJournal = (record: Omit<JournalRecord, 'seq'>): void => {
    store.addToJournal(record);
    log.info(record, 'journal');
  };
  const sync = await ArtefactSync.open(folder, log, () => uplink?.statusChanged());
  let dhcp: DhcpServer | undefined;
  const serving = new Serving({
    holderOf: (address) => dhcp?.at(address),
    folder,
    isReady: (sha256) => sync.isReady(sha256),
    addToJournal,
  });
  const apply = (state: DesiredState): void => {
    serving.apply(state);
    dhcp?.follow(state.segments);
    sync.want(state.releases);
  };

  // What was good before the controller went away is served at once.
  const kept = store.desiredState();
  if (kept) apply(kept);
  const stopServing = await serve(listeners, options.httpPort, { serving, firmware, counters });
  dhcp = await DhcpServer.start({
    listeners,
    httpPort: options.httpPort,
    leaseFolder: join(options.data, 'leases'),
    verbose: log.isLevelEnabled('debug'),
    segments: serving.segments,
    addToJournal,
    counters,
    log,
    onCrash: (error) => {
      log.fatal({ err: error }, 'DHCP ended: the edge ends with it, to be started again');
      process.exit(1);
    },
  });
  log.info(
    { listeners, httpPort: options.httpPort, leases: dhcp.leaseCount, revision: kept?.revision },
    'edge is up',
  );

  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => {
      log.info({ signal }, 'stopping');
      stop.abort();
      stopServing();
      // The last round of leases is written before the end.
      void Promise.all([dhcp?.stop(), store.close()]).finally(() => process.exit());
    });

  const credentials = await ensureCredentials(
    {
      store,
      controllerUrl: options.controller,
      joinToken: process.env['BOOTSWARM_JOIN_TOKEN'] || undefined,
      log,
    },
    stop.signal,
  );
  if (!credentials) return;
  log.info({ edge: credentials.name, controller: options.controller }, 'following the controller');
  uplink = new Uplink({ controllerUrl: options.controller, store, sync, log, apply }, credentials);
  await uplink.run(stop.signal);
}

interface Served {
  readonly serving: Serving;
  readonly firmware: ReadonlyMap<string, Uint8Array>;
  readonly counters: Counters;
}

/** Opens HTTP and TFTP. @returns what closes them. @throws Problem not_root, port_in_use */
async function serve(listeners: readonly Listener[], httpPort: number, served: Served): Promise<() => void> {
  const { serving, firmware, counters } = served;
  const firmwareOf = (name: string): Uint8Array | undefined => firmware.get(name);
  const http = await startHttpServer({
    port: httpPort,
    scriptFor: (caller) => serving.scriptFor(caller),
    firmwareOf,
    artefactOf: (sha256, name) => serving.artefactOf(sha256, name),
    onSent: (address, { role }, { bytes, complete }) =>
      serving.tell(role, address, complete ? `fetched, ${bytes} bytes` : `broke off after ${bytes} bytes`),
    counters,
    log,
  });
  const onEnd = (address: string, file: string, ending: string): void => {
    // Firmware asks for the length first and hangs up: no news of the boot (boot-protocols.md, quirk 8).
    if (ending !== 'aborted by client') serving.tell('firmware', address, `${file} by TFTP: ${ending}`);
  };
  const servers = await Promise.all(
    listeners.map(({ address }) => TftpServer.start({ address, fileOf: firmwareOf, onEnd, counters, log })),
  );
  return () => {
    for (const server of servers) server.stop();
    http.close();
    http.closeAllConnections();
  };
}

/** Boot files are held in memory: they are small, and every machine asks for one. @throws Problem firmware_missing */
async function loadFirmware(): Promise<ReadonlyMap<string, Uint8Array>> {
  const read = Object.values(FIRMWARE).map(async ({ name, path }) => {
    try {
      return [name, new Uint8Array(await readFile(path))] as const;
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw problem('firmware_missing', { facts: { path, reason }, cause: error });
    }
  });
  return new Map(await Promise.all(read));
}

function portOf(text: string): number {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 1 || port > 65535)
    throw new InvalidArgumentError('must be a port between 1 and 65535');
  return port;
}
