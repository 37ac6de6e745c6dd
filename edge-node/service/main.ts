/** The edge node as a program: wiring, start and stop. */
import { isIPv4 } from 'node:net';
import { join } from 'node:path';
import { type DesiredState, type JournalRecord, parseRate } from '@bootswarm/controller/contract';
import { Problem } from '@bootswarm/images/format';
import { ArtefactFolder } from '@bootswarm/images/swarm';
import { Command, InvalidArgumentError } from 'commander';
import { pino } from 'pino';
import { AgentDesk } from './agents/agent-desk.ts';
import { InspectionDesk } from './agents/inspection-desk.ts';
import type { AgentService } from './agents/routes.ts';
import { SwarmDesk } from './agents/swarm-desk.ts';
import { Tickets } from './agents/ticket.ts';
import { WorkBoard } from './agents/work-board.ts';
import { WorkDesk } from './agents/work-desk.ts';
import { byDemand } from './decide/demand.ts';
import { artefactNews, missingNews } from './decide/transfer-news.ts';
import { Answers } from './installers/answers.ts';
import type { InstallerDesk } from './installers/routes.ts';
import { Trees } from './installers/trees.ts';
import { NoCloudSeeds } from './nocloud/seeds.ts';
import { Counters } from './sockets/counters.ts';
import { DhcpServer } from './sockets/dhcp-server.ts';
import { ThreadedFileSender } from './sockets/file-sender.ts';
import { startHttpServer } from './sockets/http-server.ts';
import { type Listener, listenerOn } from './sockets/interfaces.ts';
import { TftpServer } from './sockets/tftp-server.ts';
import { EdgeStore } from './state/edge-store.ts';
import { loadFirmware } from './state/firmware.ts';
import { holdFolder } from './state/hold-folder.ts';
import { InstallLedger } from './state/install-ledger.ts';
import { Serving } from './state/serving.ts';
import { readMapFile, TftpTree } from './state/tftp-tree.ts';
import { WorkLedger } from './state/work-ledger.ts';
import { metricsText } from './swarm/metrics.ts';
import type { SwarmService } from './swarm/routes.ts';
import { Seeds } from './swarm/seeds.ts';
import { Torrents } from './swarm/torrents.ts';
import { Tracker } from './swarm/tracker.ts';
import { ArtefactRoom } from './uplink/artefact-room.ts';
import { ArtefactSync } from './uplink/artefact-sync.ts';
import { EdgeSwarm } from './uplink/edge-swarm.ts';
import { EdgeTrust } from './uplink/trust.ts';
import { ensureCredentials, Uplink } from './uplink/uplink.ts';

/** Two were quicker than one, and what one waits for from a disk does not hold up the other (edge-node/decisions/0017). */
const SENDING_THREADS = 2;

interface Options {
  readonly controller: string;
  readonly data: string;
  readonly interface: readonly string[];
  readonly httpPort: number;
  readonly firmware?: string;
  readonly tftpSinglePort?: boolean;
  readonly tftpMap?: string;
  readonly trustRoot?: string;
  readonly keepHours: number;
  readonly swarmPort: number;
  readonly swarmRate?: number;
  readonly edgesPort: number;
  readonly swarmAddress?: string;
}

const command = new Command('bootswarm-edge')
  .description('Serves segments: DHCP, TFTP and HTTP boot. Goes on when the controller is down.')
  .requiredOption('--controller <url>', 'such as http://controller:8470')
  .requiredOption('--interface <name...>', 'interfaces to serve on')
  .option('--data <folder>', 'where leases, journal and artefacts live', '/var/lib/bootswarm/edge')
  .option('--http-port <port>', 'TCP port of scripts and artefacts', portOf, 8480)
  .option(
    '--swarm-port <port>',
    'TCP port at which machines fetch images of each other and of this edge',
    portOf,
    8481,
  )
  .option('--swarm-rate <rate>', 'what it gives to the swarms of machines at most, such as 5Gbit', rateOf)
  .option('--edges-port <port>', 'TCP port at which edges fetch images of each other', portOf, 8483)
  .option(
    '--swarm-address <address>',
    'IPv4 address at which other edges reach this one, where it is not the one that leads to the controller',
    ipv4Of,
  )
  .option('--firmware <folder>', 'boot files of your own, added to the tree or instead of its files')
  .option('--tftp-single-port', 'answer all of TFTP from port 69, for firewalls and NATs that need it')
  .option('--tftp-map <file>', "rules that rename what is asked for, as of tftpd-hpa's --map-file")
  .option('--trust-root <file>', 'whose signatures count, instead of the root that the controller gives')
  .option('--keep-hours <hours>', 'how long a release stays that nothing names any more', hoursOf, 24)
  .addHelpText(
    'after',
    "\nThe join token is taken from the environment: BOOTSWARM_JOIN_TOKEN.\nIts leases: 'leases --help'.",
  );

const log = pino({ name: 'edge', level: process.env['BOOTSWARM_LOG_LEVEL'] ?? 'info' });
const [verb, ...rest] = process.argv.slice(2);
if (verb === 'leases') await import('./leases-command.ts').then(({ runLeases }) => runLeases(rest));
else await start(command.parse().opts<Options>()).catch(explain);

function explain(error: unknown): never {
  if (error instanceof Problem) log.fatal(error.toBody(), `${error.message}. ${error.remedy}`);
  else log.fatal({ err: error }, 'the edge cannot start');
  process.exit(1);
}

async function start(options: Options): Promise<void> {
  holdFolder(options.data);
  const listeners = options.interface.map(listenerOn);
  const firmware = await loadFirmware(options.firmware);
  const rules = options.tftpMap === undefined ? [] : await readMapFile(options.tftpMap);
  const store = EdgeStore.open(join(options.data, 'state'), {
    onLoss: (error) => log.error({ err: error }, 'a journal record is lost'),
  });
  const counters = new Counters();
  const folder = await ArtefactFolder.open(join(options.data, 'artefacts'));
  let uplink: Uplink | undefined;
  const addAllToJournal = (records: readonly Omit<JournalRecord, 'seq'>[]): void => {
    for (const written of store.addAllToJournal(records)) log.info(written, 'journal');
  };
  const edgeSwarm = await EdgeSwarm.start({
    port: options.edgesPort,
    folder,
    isReady: (sha256) => sync.isReady(sha256),
    log,
  });
  const sync = await ArtefactSync.open({
    folder,
    log,
    room: new ArtefactRoom(folder, log, { keepMs: options.keepHours * 3_600_000 }),
    fetch: (artefact, fetching) => edgeSwarm.fetch(artefact, fetching),
    onChange: () => {
      uplink?.statusChanged();
      edgeSwarm.look();
      // Whoever waits for a release to be here is told to begin, once it is given to those who share it.
      void seeds.look().finally(() => desk.changed());
    },
  });
  let dhcp: DhcpServer | undefined;
  const ledger = await InstallLedger.open(store);
  const workLedger = WorkLedger.open(store);
  const serving = new Serving({
    installs: ledger,
    works: workLedger,
    holderOf: (address) => dhcp?.at(address),
    folder,
    isReady: (sha256) => sync.isReady(sha256),
    isCorrupt: (sha256) => sync.isCorrupt(sha256),
    addToJournal: (record) => addAllToJournal([record]),
  });
  const works = new WorkDesk({
    serving,
    ledger: workLedger,
    tickets: new Tickets(await store.ensureAnswersSecret()),
    onChange: (mac) => desk.changed(mac),
    log,
  });
  const swarmDesk = new SwarmDesk({
    serving,
    leases: () => dhcp?.leases() ?? [],
    isOpen: (machine) => works.isOpen(machine),
    isGiven: (sha256) => seeds.portOf(sha256) !== undefined,
  });
  const board = new WorkBoard();
  const desk = new AgentDesk({
    board,
    holderOf: (address) => dhcp?.at(address),
    dutyOf: (lease, httpUrl) => works.dutyOf(lease, httpUrl),
    swarmFor: (lease, duty, httpUrl) => swarmDesk.termsFor(lease, duty, new URL(httpUrl).hostname),
    tell: (lease, detail, report) => {
      const { stage, news } = works.newsOf(lease, report, detail);
      serving.tell(stage, lease.address, news);
    },
    log,
  });
  const inspections = new InspectionDesk({
    queue: store.inspections,
    tell: ({ address }, detail) => serving.tell('agent', address, { detail }),
  });
  const agents: AgentService = { desk, works, inspections };
  const installers: InstallerDesk = {
    answers: new Answers({
      serving,
      holderOf: (address) => dhcp?.at(address),
      ledger,
      addToJournal: (record) => addAllToJournal([record]),
    }),
    trees: new Trees({ serving, isReady: (sha256) => sync.isReady(sha256), folder }),
  };
  const noCloud = new NoCloudSeeds({ serving, holderOf: (address) => dhcp?.at(address) });
  const seeds = await Seeds.start({
    port: options.swarmPort,
    rate: options.swarmRate,
    isAllowed: (address) => serving.segmentOf(address) !== undefined,
    pathOf: (sha256) => folder.pathOf(sha256),
    isReady: (sha256) => sync.isReady(sha256),
    log,
  });
  const tracker = new Tracker({
    segmentOf: (address) => serving.segmentOf(address)?.name,
    seedPortOf: (sha256) => seeds.portOf(sha256),
  });
  const torrents = new Torrents({
    pathOf: (sha256) => folder.pathOf(sha256),
    isReady: (sha256) => sync.isReady(sha256),
    log,
  });
  const apply = (state: DesiredState): void => {
    serving.apply(state);
    tracker.follow(state.releases);
    torrents.follow(state.releases);
    void seeds.follow(state.releases).finally(() => desk.changed());
    edgeSwarm.follow(state.releases);
    dhcp?.follow(state);
    sync.want(byDemand(state));
  };

  const trust = await EdgeTrust.open({
    folder: join(options.data, 'trust'),
    rootFile: options.trustRoot,
    log,
    addToJournal: (record) => addAllToJournal([record]),
  });
  // What was good before the controller went away is served at once.
  const kept = await trust.followKept(store);
  if (kept) apply(kept);
  const { httpPort } = options;
  const tree = new TftpTree({ serving, firmware, httpPort, rules });
  const stopServing = await serve(listeners, options, {
    serving,
    agents,
    installers,
    noCloud,
    swarm: { tracker, torrents },
    trust,
    firmware,
    tree,
    counters,
    metrics: () =>
      metricsText({ counters: counters.toJSON(), seeds: seeds.stats(), work: board.at(Date.now()) }),
  });
  dhcp = await DhcpServer.start({
    listeners,
    httpPort: options.httpPort,
    leaseFolder: join(options.data, 'leases'),
    verbose: log.isLevelEnabled('debug'),
    bootFiles: [...firmware.keys()],
    site: kept ?? { segments: [], policy: { options: {}, classes: [] } },
    addAllToJournal,
    onSeen: (seen) => serving.note(seen),
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

  const stopWatch = works.watch();
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => {
      log.info({ signal }, 'stopping');
      stop.abort();
      stopWatch();
      // The last round of leases is written before the end.
      void Promise.all([stopServing(), seeds.stop(), edgeSwarm.stop(), dhcp?.stop(), store.close()]).finally(
        () => process.exit(),
      );
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
  await trust.use(credentials.controllerKey);
  log.info({ edge: credentials.name, controller: options.controller }, 'following the controller');
  uplink = new Uplink(
    {
      controllerUrl: options.controller,
      store,
      sync,
      edgeSwarm,
      swarmAddress: options.swarmAddress,
      trust,
      board,
      log,
      addresses: listeners.map(({ address }) => address),
      apply,
    },
    credentials,
  );
  await uplink.run(stop.signal);
}

interface Served {
  readonly serving: Serving;
  readonly agents: AgentService;
  readonly installers: InstallerDesk;
  readonly noCloud: NoCloudSeeds;
  readonly swarm: SwarmService;
  readonly trust: EdgeTrust;
  readonly firmware: ReadonlyMap<string, Uint8Array>;
  readonly tree: TftpTree;
  readonly counters: Counters;
  readonly metrics: () => string;
}

/** Opens HTTP and TFTP. @returns what closes them. @throws Problem not_root, port_in_use */
async function serve(
  listeners: readonly Listener[],
  { httpPort, tftpSinglePort = false }: Options,
  { serving, agents, installers, noCloud, swarm, trust, firmware, tree, counters, metrics }: Served,
): Promise<() => Promise<void>> {
  const firmwareOf = (name: string): Uint8Array | undefined => firmware.get(name);
  const sender = new ThreadedFileSender(SENDING_THREADS, (error) => {
    log.fatal({ err: error }, 'sending files ended: the edge ends with it, to be started again');
    process.exit(1);
  });
  const http = await startHttpServer({
    port: httpPort,
    sender,
    scriptFor: (caller) => serving.scriptFor(caller),
    firmwareOf,
    artefactOf: (sha256, name) => serving.artefactOf(sha256, name),
    isComing: (sha256, name) => serving.isComing(sha256, name),
    agents,
    installers,
    noCloud,
    swarm,
    metrics,
    trustFileOf: (name) => trust.file(name),
    onSent: (address, { role }, sent) => serving.tell(role, address, artefactNews(sent)),
    onAbsent: (address, id, name) => serving.tellAbsent(address, id, name),
    onFirmware: (address, name, found) =>
      serving.tell('firmware', address, found ? { detail: `${name} by HTTP` } : missingNews(name, 'HTTP')),
    counters,
    log,
  });
  const tftp = await TftpServer.start({
    addresses: listeners.map(({ address }) => address),
    isSinglePort: tftpSinglePort,
    fileOf: (request) => tree.fileOf(request),
    capsOf: (address) => tree.capsOf(address),
    onEnd: (request, ending) => tree.tellEnd(request, ending),
    counters,
    log,
    onCrash: (error) => {
      log.fatal({ err: error }, 'TFTP ended: the edge ends with it, to be started again');
      process.exit(1);
    },
  });
  return async () => {
    http.close();
    http.closeAllConnections();
    await Promise.all([tftp.stop(), sender.stop()]);
  };
}

/** @returns bytes a second. */
function rateOf(text: string): number {
  const rate = parseRate(text);
  if (rate === undefined) throw new InvalidArgumentError('must be a rate such as 200Mbit or 5Gbit');
  return rate;
}

function hoursOf(text: string): number {
  const hours = Number(text);
  if (text.trim() === '' || !(hours >= 0 && hours <= 100_000))
    throw new InvalidArgumentError('must be a number of hours');
  return hours;
}

function ipv4Of(text: string): string {
  if (!isIPv4(text)) throw new InvalidArgumentError('must be an IPv4 address');
  return text;
}

function portOf(text: string): number {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 1 || port > 65535)
    throw new InvalidArgumentError('must be a port between 1 and 65535');
  return port;
}
