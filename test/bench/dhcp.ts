import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { program, Site } from '../boot/index.ts';
import { type Host, Lab, type Process, type Segment } from '../lab/index.ts';
import type { Bench, Measurement } from './bench.ts';
import { highestRate } from './perfdhcp.ts';

const SUBNET = '10.100.0.0/16';
/** Of the load generator: as the relay's giaddr it tells the segment. */
const LOAD_ADDRESS = '10.100.0.2';
const KEA_ADDRESS = '10.100.0.3';
const DNSMASQ_ADDRESS = '10.100.0.4';
const POOL = { first: '10.100.8.0', last: '10.100.247.255' } as const;
const UP_MS = 20_000;

/** A DHCP server at an address of its own, which is started for one measurement and then stopped. */
interface Server {
  readonly address: string;
  /** Files and folders of its leases, which it keeps from one measurement to the next. */
  readonly leases: readonly string[];
  start(): Promise<Process>;
}

/** Four-way exchanges under perfdhcp as a relay, at the highest rate without a drop; and how soon the first offer comes. */
export const dhcpBench: Bench = {
  name: 'dhcp',
  summary: 'four-way exchanges without drops, and first offers, against Kea (memfile) and dnsmasq (no-ping)',
  better: { dora_per_s: 'more', p99_ms: 'less', offer_ms: 'less' },
  async prepare(say) {
    const lab = await Lab.create('bench-dhcp');
    try {
      say('laying a segment with a load generator that plays the relay');
      const segment = await lab.addSegment({ relay: 'none', subnet: SUBNET });
      const load = await segment.addHost('load', { address: LOAD_ADDRESS });
      const servers = {
        ours: await ourServer(lab, segment),
        kea: keaServer(lab, await segment.addHost('kea', { address: KEA_ADDRESS })),
        dnsmasq: dnsmasqServer(lab, await segment.addHost('dnsmasq', { address: DNSMASQ_ADDRESS })),
      };
      const exchanges = Object.entries(servers).map(([name, server]) => {
        const measure = () => withServers([server], () => highestRate(load, server.address));
        return [name, measure] as const;
      });
      return {
        cases: [
          { name: 'exchange', subjects: Object.fromEntries(exchanges) },
          { name: 'first-offer', inTurn: () => firstOffers(load, servers) },
        ],
        [Symbol.asyncDispose]: () => lab[Symbol.asyncDispose](),
      };
    } catch (error) {
      await lab[Symbol.asyncDispose]();
      throw error;
    }
  },
};

async function withServers<T>(servers: readonly Server[], run: () => Promise<T>): Promise<T> {
  const running: Process[] = [];
  try {
    for (const server of servers) running.push(await server.start());
    return await run();
  } finally {
    for (const server of running) await server.stop();
  }
}

/**
 * With the leases of the exchanges, and, only to be told, with none: a server that looks through them one by one is
 * quickest then.
 */
async function firstOffers(
  load: Host,
  servers: Readonly<Record<string, Server>>,
): Promise<Record<string, Measurement>> {
  const offers = await offerMedians(load, servers);
  for (const { leases } of Object.values(servers))
    for (const path of leases) rmSync(path, { recursive: true, force: true });
  const offersOfNew = await offerMedians(load, servers);
  return Object.fromEntries(
    Object.entries(servers).map(([name, { address }]) => [
      name,
      {
        offer_ms: offers[address] ?? Number.NaN,
        offer_without_leases_ms: offersOfNew[address] ?? Number.NaN,
      },
    ]),
  );
}

/** All run; each is asked for the same machines in turn. @returns milliseconds by the server's address. */
async function offerMedians(
  load: Host,
  servers: Readonly<Record<string, Server>>,
): Promise<Readonly<Record<string, number>>> {
  const addresses = Object.values(servers).map(({ address }) => address);
  const { code, stdout, stderr } = await withServers(Object.values(servers), () =>
    load.run(program('test/bench/first-offer.ts', LOAD_ADDRESS, ...addresses), { timeoutMs: 60_000 }),
  );
  if (code !== 0) throw new Error(stderr);
  return JSON.parse(stdout) as Record<string, number>;
}

async function ourServer(lab: Lab, segment: Segment): Promise<Server> {
  const site = await Site.start(lab);
  const on = segment.coreInterface ?? '';
  await site.addEdge('edge1', on);
  const file = join(lab.folder, 'segment.json');
  // Its own peers stand beside it.
  const otherServers = [KEA_ADDRESS, DNSMASQ_ADDRESS];
  const load = { name: 'load', subnet: SUBNET, pools: [POOL], edges: ['edge1'], otherServers };
  writeFileSync(file, JSON.stringify({ segments: [load] }));
  await site.bootswarm('segment', 'apply', file);
  await site.edge.waitForLine(/"segments":1/, UP_MS);
  await site.edge.stop();
  return {
    address: segment.edgeAddress,
    leases: [join(lab.folder, 'edge1', 'leases')],
    start: () => site.startEdge('edge1', [on]),
  };
}

function keaServer(lab: Lab, host: Host): Server {
  const file = join(lab.folder, 'kea.json');
  const leases = join(lab.folder, 'kea-leases.csv');
  const dhcp4 = {
    'interfaces-config': { interfaces: [host.interface], 'dhcp-socket-type': 'udp' },
    'lease-database': { type: 'memfile', persist: true, name: leases, 'lfc-interval': 0 },
    'valid-lifetime': 3600,
    subnet4: [{ id: 1, subnet: SUBNET, pools: [{ pool: `${POOL.first} - ${POOL.last}` }] }],
    loggers: [{ name: 'kea-dhcp4', severity: 'WARN', output_options: [{ output: 'stdout' }] }],
    'sanity-checks': { 'lease-checks': 'none' },
  };
  writeFileSync(file, JSON.stringify({ Dhcp4: dhcp4 }));
  const start = async (): Promise<Process> => {
    const env = { KEA_PIDFILE_DIR: lab.folder, KEA_LOCKFILE_DIR: lab.folder };
    const kea = await host.start(['kea-dhcp4', '-c', file], { name: 'kea', env });
    await untilBound(host, 67);
    return kea;
  };
  return { address: KEA_ADDRESS, leases: [leases], start };
}

function dnsmasqServer(lab: Lab, host: Host): Server {
  const leases = join(lab.folder, 'dnsmasq.leases');
  const start = async (): Promise<Process> => {
    const dnsmasq = await host.start(
      [
        ...['dnsmasq', '--keep-in-foreground', '--conf-file=/dev/null', '--port=0', '--no-ping'],
        ...['--quiet-dhcp', '--log-facility=-', `--interface=${host.interface}`, '--bind-interfaces'],
        ...[`--dhcp-range=${POOL.first},${POOL.last},255.255.0.0,1h`, '--dhcp-lease-max=100000'],
        ...['--dhcp-authoritative', `--dhcp-leasefile=${leases}`],
      ],
      { name: 'dnsmasq' },
    );
    await untilBound(host, 67);
    return dnsmasq;
  };
  return { address: DNSMASQ_ADDRESS, leases: [leases], start };
}

async function untilBound(host: Host, port: number): Promise<void> {
  const deadline = Date.now() + UP_MS;
  while (Date.now() < deadline) {
    const { stdout } = await host.run(['ss', '-Hlun', `sport = :${port}`]);
    if (stdout.trim() !== '') return;
  }
  throw new Error(`nobody listened on UDP port ${port} within ${UP_MS} ms`);
}
