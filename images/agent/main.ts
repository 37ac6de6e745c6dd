/** The agent as a program: the first thing that runs in the mini image once its drivers are loaded. Wiring. */
import { readFile, stat } from 'node:fs/promises';
import { networkInterfaces } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type { SwarmTerms } from '@bootswarm/controller/contract';
import { Agent } from './agent.ts';
import { Consoles } from './console.ts';
import { EdgeClient } from './edge-client.ts';
import { Host } from './host.ts';
import { inspect } from './inspect/collect.ts';
import { collectDisks } from './inspect/collect-disks.ts';
import { decodeSmbios } from './inspect/smbios.ts';
import { availableBytes } from './install/fetch-root.ts';
import { type InstallParts, install } from './install/install.ts';
import type { Progress } from './install/progress.ts';
import { programs } from './install/run-program.ts';
import { parseArguments } from './kernel-arguments.ts';
import { KernelLog } from './kernel-log.ts';
import { prepareLive } from './live/live.ts';
import { installFromMedium } from './medium/install-from-medium.ts';
import { Keyboard } from './medium/keyboard.ts';
import { type Connection, connect } from './network.ts';
import { patiently } from './patience.ts';
import { edgeSource, ReleaseFetch } from './release-fetch.ts';
import { rescue } from './rescue.ts';
import { Status } from './status.ts';
import { STATUS_PORT, startStatusServer } from './status-server.ts';
import { GIVE_ON, giveOn, startGiving } from './swarm/give-on.ts';
import { MachineSwarm } from './swarm/machine-swarm.ts';
import { BEFORE_REBOOT } from './swarm/spare.ts';
import { wipeDisks } from './wipe/wipe-disks.ts';

/** Edges serve there unless the kernel's command line says otherwise. */
const EDGE_PORT = 8480;
/** Whose signatures count: put into the initramfs by the build. */
const TRUST_ROOT = '/etc/bootswarm/root.json';
const TRUST_FOLDER = '/run/bootswarm/trust';
const VERIFY_MS = 60_000;
const GIVING_FILE = '/run/bootswarm/giving.json';
const SMBIOS_TABLE = '/sys/firmware/dmi/tables/DMI';
const DHCP_SCRIPT = '/usr/lib/bootswarm/udhcpc-script';

const [, , verb, file = ''] = process.argv;
if (verb === GIVE_ON) {
  await giveOn(file);
  process.exit();
}

const stop = new AbortController();
// Its children end with it.
for (const name of ['SIGINT', 'SIGTERM'] as const)
  process.once(name, () => {
    stop.abort();
    process.exit();
  });

const host = new Host();
const consoles = new Consoles(await host.consoles());
const [uuid, kernel] = [await host.uuid(), await host.kernel()];
/** Of the kernel, on the clock of this process. */
const startedAt = (await host.uptimeSeconds()) - performance.now() / 1000;
const version = process.env['BOOTSWARM_AGENT_VERSION'] ?? '0';
const uptime = (): number => startedAt + performance.now() / 1000;
const status = new Status({ uuid, version, kernel }, (line) => consoles.write(line), uptime);

/** What everything is given that takes its time. */
const means = {
  programs,
  signal: stop.signal,
  say: (line: string) => status.say(line),
  /** Resolves early where the signal ends it. */
  wait: (ms: number) => sleep(ms, undefined, { signal: stop.signal }).catch(() => {}),
  now: () => performance.now(),
};
/** What the last order that fetched of neighbours shares with them. */
let swarm: MachineSwarm | undefined;
const kernelLog = new KernelLog();
const findDisks = () => collectDisks(means);

const given = parseArguments(await host.commandLine());
status.say(`Bootswarm agent ${version}`);
if (given.medium !== undefined) {
  await installFromMedium({
    ...means,
    ...given.medium,
    firmware: await firmware(),
    facts: async () => ({
      uuid,
      serial: decodeSmbios(await readFile(SMBIOS_TABLE).catch(() => Buffer.alloc(0))).serial,
      macs: (await host.links()).map(({ mac }) => mac),
    }),
    keys: new Keyboard(await host.consoles()),
    findDisks,
    reboot,
  });
  process.exit();
}
await startStatusServer(() => status.view).catch((error: Error) =>
  status.say(`no status page on port ${STATUS_PORT}: ${error.message}`),
);
const connection = await connect({
  host,
  bootMac: given.mac,
  uuid,
  script: DHCP_SCRIPT,
  say: (line) => status.doing(line),
  signal: stop.signal,
});
const edgeUrl = given.edgeUrl ?? edgeOf(connection);
status.note({ mac: connection.link.mac, addresses: addresses(), edge: edgeUrl });
status.say(
  `${connection.link.name} has ${connection.lease.address}; status page http://${connection.lease.address}:${STATUS_PORT}/`,
);
status.say(`the edge is ${edgeUrl}`);

await new Agent({
  edge: new EdgeClient(edgeUrl, stop.signal),
  status,
  about: async () => {
    status.note({ addresses: addresses() });
    return {
      mac: connection.link.mac,
      ...(uuid === undefined ? {} : { uuid }),
      addresses: addresses(),
      version,
      kernel,
      memoryBytes: host.memoryBytes(),
      uptimeSeconds: await host.uptimeSeconds(),
    };
  },
  facts: () => host.facts(),
  inspect: () => inspect(means),
  kernelLog: () => kernelLog.news(),
  verify: async (reference) => (await openReleases()).manifestOf(reference, stop.signal),
  install: async (order, begun, terms) => {
    await install({
      ...means,
      ...begun,
      ...(await openReleases()),
      ...(await openSwarm(terms, begun.progress)),
      order,
      firmware: await firmware(),
      findDisks,
    });
    // getrusage(2): of this process alone. What waits in memory to be unpacked is the file system's.
    status.say(`memory of the agent: ${process.resourceUsage().maxRSS} kB at most`);
  },
  giveOn: async (onWait) => {
    await swarm?.untilSpared(BEFORE_REBOOT, stop.signal, onWait);
    await swarm?.end();
  },
  live: async (release, progress, terms) => {
    progress.begin('fetch', release);
    await prepareLive({
      ...means,
      ...(await openReleases()),
      ...(await openSwarm(terms, progress)),
      release,
      mac: connection.link.mac,
      kernelRelease: kernel,
      availableBytes: async () => availableBytes(await readFile('/proc/meminfo', 'utf8')),
      onBytes: (done, total) => progress.bytes(done, total),
      onRoot: async (artefact, path) => {
        if (!terms || artefact.infohash === undefined) return;
        await startGiving({ artefact, path, terms, edgeUrl }, GIVING_FILE).catch((error: Error) =>
          status.say(`the root is not given to neighbours any more: ${error.message}`),
        );
      },
    });
  },
  handOver: () => {
    stop.abort();
    process.exit();
  },
  wipe: (order, begun) =>
    wipeDisks({
      ...means,
      ...begun,
      order,
      findDisks: async () => (await findDisks()).map(({ disk }) => disk),
    }),
  reboot,
  rescue: (sshKeys, signal) => rescue({ sshKeys, signal, say: (line) => status.say(line) }),
  signal: stop.signal,
}).run();

async function reboot(): Promise<void> {
  await programs.run(['sync'], { what: 'write all of it', signal: stop.signal });
  // By force: the first process here is a script, and stops nothing.
  await programs.run(['reboot', '-f'], { what: 'reboot', signal: stop.signal });
}

function firmware(): Promise<'uefi' | 'bios'> {
  return stat('/sys/firmware/efi').then(
    () => 'uefi',
    () => 'bios',
  );
}

/** Releases of the edge, as far as they are to be believed. */
async function openReleases(): Promise<Pick<InstallParts, 'manifestOf' | 'pieces'>> {
  const releases = await ReleaseFetch.open(TRUST_FOLDER, await trustRoot(), edgeSource(edgeUrl));
  return {
    manifestOf: (reference, signal) =>
      patiently(
        'fetching the manifest',
        () => releases.manifestOf(reference, AbortSignal.any([signal, AbortSignal.timeout(VERIFY_MS)])),
        { ...means, signal },
      ),
    pieces: (artefact, signal, first) => releases.pieces(artefact, signal, first),
  };
}

/** Opens what this machine shares of one order; where that cannot be, the order is done by HTTP alone. */
async function openSwarm(
  terms: SwarmTerms | undefined,
  progress: Progress,
): Promise<Pick<InstallParts, 'neighbours'>> {
  await swarm?.end();
  swarm = undefined;
  if (!terms) return {};
  try {
    const opened = await MachineSwarm.open({ ...means, terms, edgeUrl });
    swarm = opened;
    progress.follow(() => opened.progress);
    return { neighbours: opened };
  } catch (error) {
    status.say(`fetching by HTTP, as there is no swarm: ${(error as Error).message}`);
    return {};
  }
}

async function trustRoot(): Promise<string | undefined> {
  return readFile(TRUST_ROOT, 'utf8').catch(() => undefined);
}

function addresses(): string[] {
  return Object.values(networkInterfaces())
    .flatMap((each) => each ?? [])
    .filter(({ family, internal }) => family === 'IPv4' && !internal)
    .map(({ address }) => address)
    .slice(0, 64);
}

/** Whoever booted the machine without arguments of an edge: the server that DHCP names for boot files, or itself. */
function edgeOf({ lease }: Connection): string {
  return `http://${lease.nextServer ?? lease.server ?? '127.0.0.1'}:${EDGE_PORT}`;
}
