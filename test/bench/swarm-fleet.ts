import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Endpoint } from '@bootswarm/images/swarm';
import { type Host, Lab, type Process, type Segment } from '../lab/index.ts';
import type { Bench, Case, Measurement } from './bench.ts';
import { type Spare, whileIdle } from './cpu.ts';
import { type ArgvOf, aria2, imageOf, type Laid, layImage, libtorrent, ours } from './swarm-clients.ts';

const PIECE_BYTES = 32 * 1024;
/** A twentieth of 256 MiB, as the links are of 200 and 100 Mbit/s: one machine's link takes as long as it did there. */
const IMAGE_BYTES = 410 * PIECE_BYTES;
/** Of a machine's link, each way, at most; and of all machines' together: so slow that two cores are not the limit. */
const LINK_MBIT = 10;
const ALL_LINKS_MBIT = 80;
/** The seed's link is that of so many machines. */
const SEED_LINKS = 5;
/** Frames that the kernel has put together are no larger: one of 64 KiB would take 50 ms of such a link. */
const FRAME_BYTES = 16 * 1024;
/** What the shaper lets through at once: at least one of those. */
const BURST_KIB = 20;
/** A switch's buffer for one port. */
const QUEUE_KIB = 64;
const CASES = [1, 2, 4, 8, 16, 32];
/** By unicast more take as much longer as they are more: 32 would take five minutes to say so. */
const HTTP_MACHINES_MOST = 16;
const SUBNET = '10.101.0.0/24';
const TRACKER_PORT = 8480;
const PORT = 23_300;
/** In times of what a machine's link needs: whoever takes longer counts as so long, and tells how many were not done. */
const PATIENCE_LIMITS = 4;
const START_MS = 60_000;
/** A seed that was told to go listens by then. */
const SETTLE_MS = 1000;
/**
 * Where the host gave more of the processors to others, and less was left idle, they were the limit, for whomever: then
 * it is measured again.
 */
const STOLEN_MOST = 0.08;
const IDLE_LEAST = 0.5;
const TRIES = 3;

interface Fleet {
  readonly lab: Lab;
  readonly segment: Segment;
  readonly seed: Host;
  readonly seedAddress: string;
  readonly machines: readonly { readonly host: Host; readonly address: string }[];
  readonly laid: Laid;
  readonly tracker: string;
}

/** How much of a fleet takes part, and its links. */
interface Run {
  readonly machines: number;
  readonly mbit: number;
}

/** How one way of distribution is started. A program says `complete` when it has everything. */
interface Way {
  /** Both say `ready`, and wait for a line before they do anything. */
  readonly seed: (fleet: Fleet, run: Run) => readonly string[];
  readonly fetch: (fleet: Fleet, address: string, folder: string) => readonly string[];
}

/** Machines in namespaces of their own fetch one image, all at once, over links that are shaped. */
export const swarmFleetBench: Bench = {
  name: 'swarm-fleet',
  summary: `an image to 1 to ${CASES.at(-1)} machines over shaped links, against libtorrent, aria2, nginx and udpcast`,
  better: { last_s: 'less' },
  async prepare(say) {
    const lab = await Lab.create('bench-fleet');
    try {
      say(`laying a seed and ${CASES.at(-1)} machines behind links of ${LINK_MBIT} Mbit/s and less`);
      const fleet = await layFleet(lab);
      const cases = CASES.map((machines): Case => {
        const run = { machines, mbit: Math.min(LINK_MBIT, ALL_LINKS_MBIT / machines) };
        return {
          name: String(machines),
          subjects: {
            ...Object.fromEntries(
              Object.entries(WAYS)
                .filter(([subject]) => subject !== 'nginx' || machines <= HTTP_MACHINES_MOST)
                .map(([subject, way]) => [subject, () => calmest(() => measure(fleet, way, run))]),
            ),
            // No machine is done before its own link, nor before the seed's link has given the image once.
            limit: async () => ({ last_s: limitSeconds(run), mbit: run.mbit }),
          },
        };
      });
      return { cases, [Symbol.asyncDispose]: () => lab[Symbol.asyncDispose]() };
    } catch (error) {
      await lab[Symbol.asyncDispose]();
      throw error;
    }
  },
};

const WAYS: Readonly<Record<string, Way>> = {
  ours: swarm(ours, { waits: true }),
  libtorrent: swarm(libtorrent, { waits: true }),
  aria2: swarm(aria2, { waits: false }),
  nginx: {
    seed: ({ lab, seedAddress, laid }) => {
      const config =
        `user root; daemon off; pid ${lab.folder}/nginx.pid; error_log stderr; worker_processes 1; events {}` +
        ` http { access_log off; sendfile on; server { listen ${seedAddress}:80; root ${laid.seed}; } }`;
      writeFileSync(join(lab.folder, 'nginx.conf'), config);
      return waiting(`nginx -c ${join(lab.folder, 'nginx.conf')}`);
    },
    fetch: ({ seedAddress }, _, folder) =>
      waiting(
        `curl -sSf --retry 5 --retry-connrefused -o ${imageOf(folder)} http://${seedAddress}/root.squashfs`,
      ),
  },
  udpcast: {
    seed: ({ laid }, { machines, mbit }) =>
      waiting(
        `udp-sender --nokbd --interface eth0 --full-duplex --file ${imageOf(laid.seed)}` +
          ` --min-receivers ${machines} --max-bitrate ${Math.floor(mbit * 950)}k`,
      ),
    fetch: (_, __, folder) => waiting(`udp-receiver --nokbd --interface eth0 --file ${imageOf(folder)}`),
  },
};

/** A shell that says `ready`, waits for a line, runs the command and says `complete` where it went well. */
function waiting(command: string): readonly string[] {
  return [
    'sh',
    '-c',
    `echo ready; read -r go; ${command} </dev/null >/dev/null && echo complete && sleep 600`,
  ];
}

/** BitTorrent over the tracker. @param waits whether the client says `ready` and waits by itself. */
function swarm(argvOf: ArgvOf, { waits }: { waits: boolean }): Way {
  const seated = (
    { laid, tracker }: Fleet,
    role: 'seed' | 'fetch',
    folder: string,
    host: string,
  ): readonly string[] => {
    const argv = argvOf(laid, { role, folder, listen: { host, port: PORT }, others: [], tracker });
    return waits ? argv : ['sh', '-c', `echo ready; read -r go; exec "$0" "$@" </dev/null`, ...argv];
  };
  return {
    seed: (fleet) => seated(fleet, 'seed', fleet.laid.seed, fleet.seedAddress),
    fetch: (fleet, address, folder) => seated(fleet, 'fetch', folder, address),
  };
}

/** The first that was left in peace, or the one that was disturbed least. */
async function calmest(measureOnce: () => Promise<Measurement & Spare>): Promise<Measurement> {
  let least = await measureOnce();
  for (let tries = 1; tries < TRIES && wasDisturbed(least); tries++) {
    const next = await measureOnce();
    if (next.stolen < least.stolen) least = next;
  }
  return least;
}

function wasDisturbed({ idle, stolen }: Spare): boolean {
  return stolen > STOLEN_MOST && idle < IDLE_LEAST;
}

function limitSeconds({ mbit }: Run): number {
  return (IMAGE_BYTES * 8) / (mbit * 1e6);
}

async function measure(fleet: Fleet, way: Way, run: Run): Promise<Measurement & Spare> {
  const { lab, seed } = fleet;
  await layLinks(fleet, run);
  const started: Process[] = [];
  const folders: string[] = [];
  try {
    const seeding = await seed.start(way.seed(fleet, run), { name: 'seed' });
    started.push(seeding);
    await seeding.waitForLine(/^ready$/, START_MS);
    const fetching = await Promise.all(
      fleet.machines.slice(0, run.machines).map(async ({ host, address }, turn) => {
        const folder = join(lab.folder, `machine-${turn}`);
        folders.push(folder);
        mkdirSync(folder);
        const machine = await host.start(way.fetch(fleet, address, folder), { name: 'machine' });
        started.push(machine);
        await machine.waitForLine(/^ready$/, START_MS);
        return machine;
      }),
    );
    seeding.write('go\n');
    await sleep(SETTLE_MS);
    const sentBefore = await sentBytes(seed);
    const startedAt = performance.now();
    const patienceMs = PATIENCE_LIMITS * limitSeconds(run) * 1000;
    let firstAt = Number.POSITIVE_INFINITY;
    const { result, idle, stolen } = await whileIdle(() =>
      Promise.allSettled(
        fetching.map(async (machine) => {
          machine.write('go\n');
          await machine.waitForLine(/^complete$/, patienceMs);
          firstAt = Math.min(firstAt, performance.now());
        }),
      ),
    );
    const failed = result.filter(({ status }) => status === 'rejected').length;
    if (failed === run.machines) throw new Error(`not one of ${failed} machines was done in time`);
    const lastMs = failed > 0 ? patienceMs : performance.now() - startedAt;
    return {
      last_s: lastMs / 1000,
      first_s: (firstAt - startedAt) / 1000,
      seed_images: ((await sentBytes(seed)) - sentBefore) / IMAGE_BYTES,
      idle,
      stolen,
      ...(failed > 0 ? { failed } : {}),
    };
  } finally {
    await Promise.all(started.map((process) => process.kill9()));
    for (const folder of folders) rmSync(folder, { recursive: true, force: true });
  }
}

async function layFleet(lab: Lab): Promise<Fleet> {
  const segment = await lab.addSegment({ relay: 'none', subnet: SUBNET });
  const most = Math.max(...CASES);
  const add = async (name: string, place: number): Promise<{ host: Host; address: string }> => {
    const address = segment.subnet.address(place);
    const host = await segment.addHost(name);
    // With a broadcast address: without one udpcast's machines don't find each other.
    await host.ip(`address add ${address}/${segment.subnet.prefixLength} brd + dev ${host.interface}`);
    await host.ip(`link set ${host.interface} gso_max_size ${FRAME_BYTES}`);
    await segment.ip(`link set to-${name} gso_max_size ${FRAME_BYTES}`);
    return { host, address };
  };
  const { host: seed, address: seedAddress } = await add('seed', 10);
  const machines = [];
  for (let turn = 0; turn < most; turn++) machines.push(await add(`m${turn}`, 20 + turn));
  await introduce([{ host: seed, address: seedAddress }, ...machines]);
  const tracker = `http://${segment.edgeAddress}:${TRACKER_PORT}/announce`;
  const laid = await layImage(lab.folder, {
    bytes: IMAGE_BYTES,
    pieceBytes: PIECE_BYTES,
    announce: tracker,
  });
  const peers = [seedAddress, ...machines.map(({ address }) => address)].map(
    (host): Endpoint => ({ host, port: PORT }),
  );
  const serving = await lab.core.start(
    [
      process.execPath,
      fileURLToPath(new URL('./swarm-tracker.ts', import.meta.url)),
      `${segment.edgeAddress}:${TRACKER_PORT}`,
      ...peers.map(({ host, port }) => `${host}:${port}`),
    ],
    { name: 'tracker' },
  );
  await serving.waitForLine(/^ready$/, START_MS);
  return { lab, segment, seed, seedAddress, machines, laid, tracker };
}

/**
 * Tells everyone everybody's MAC. The kernel has one table of neighbours for all namespaces, of 1,024 that are not
 * permanent: 33 hosts that learn one another run over it, and wait for ARP in vain.
 */
async function introduce(hosts: readonly { readonly host: Host; readonly address: string }[]): Promise<void> {
  for (const { host } of hosts)
    await host.ip(
      ...hosts
        .filter((other) => other.host !== host)
        .map(
          (other) =>
            `neighbour replace ${other.address} lladdr ${other.host.mac} dev ${host.interface} nud permanent`,
        ),
    );
}

async function layLinks({ segment, seed, machines }: Fleet, run: Run): Promise<void> {
  const both = async (host: Host, name: string, mbit: number): Promise<void> => {
    const queueMs = ((QUEUE_KIB - BURST_KIB) * 1024 * 8) / (mbit * 1000);
    const rate = { mbit, burstKib: BURST_KIB, queueMs };
    await host.shape(host.interface, rate);
    await segment.shape(`to-${name}`, rate);
  };
  await both(seed, 'seed', run.mbit * SEED_LINKS);
  for (const [turn, { host }] of machines.slice(0, run.machines).entries())
    await both(host, `m${turn}`, run.mbit);
}

/** Bytes that have left a host. */
async function sentBytes(host: Host): Promise<number> {
  const { stdout } = await host.run(['cat', `/sys/class/net/${host.interface}/statistics/tx_bytes`]);
  return Number(stdout);
}
