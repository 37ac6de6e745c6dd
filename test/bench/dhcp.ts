import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { program, Site } from '../boot/index.ts';
import { type Host, Lab, type Process, type Segment } from '../lab/index.ts';
import type { Bench, Measurement } from './bench.ts';
import { highestRate } from './perfdhcp.ts';

const SUBNET = '10.100.0.0/16';
/** Of the load generator: as the relay's giaddr it tells the segment. */
const LOAD_ADDRESS = '10.100.0.2';
const POOL = { first: '10.100.8.0', last: '10.100.247.255' } as const;
const UP_MS = 20_000;

/** A server that is started for one measurement and then stopped. */
type Start = () => Promise<Process>;

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
      const starts = {
        ours: await ourStart(lab, segment),
        kea: keaStart(lab, segment),
        dnsmasq: dnsmasqStart(lab, segment),
      };
      const per = (measure: (start: Start) => Promise<Measurement>) =>
        Object.fromEntries(Object.entries(starts).map(([name, start]) => [name, () => measure(start)]));
      return {
        cases: [
          { name: 'exchange', subjects: per((start) => withServer(start, () => highestRate(load, segment))) },
          {
            name: 'first-offer',
            subjects: per((start) => withServer(start, () => firstOffer(load, segment))),
          },
        ],
        [Symbol.asyncDispose]: () => lab[Symbol.asyncDispose](),
      };
    } catch (error) {
      await lab[Symbol.asyncDispose]();
      throw error;
    }
  },
};

async function withServer<T>(start: Start, run: () => Promise<T>): Promise<T> {
  const server = await start();
  try {
    return await run();
  } finally {
    await server.stop();
  }
}

async function firstOffer(load: Host, segment: Segment): Promise<Measurement> {
  const done = await load.run(program('test/bench/first-offer.ts', segment.edgeAddress, LOAD_ADDRESS), {
    timeoutMs: 60_000,
  });
  if (done.code !== 0) throw new Error(done.stderr);
  return JSON.parse(done.stdout) as Measurement;
}

async function ourStart(lab: Lab, segment: Segment): Promise<Start> {
  const site = await Site.start(lab);
  const on = segment.coreInterface ?? '';
  await site.addEdge('edge1', on);
  const pool = `${POOL.first}-${POOL.last}`;
  await site.bootswarm('segment', 'add', 'load', '--subnet', SUBNET, '--pool', pool, '--edge', 'edge1');
  await site.edge.waitForLine(/"segments":1/, UP_MS);
  await site.edge.stop();
  return () => site.startEdge('edge1', [on]);
}

function keaStart(lab: Lab, segment: Segment): Start {
  const file = join(lab.folder, 'kea.json');
  const leases = join(lab.folder, 'kea-leases.csv');
  const dhcp4 = {
    'interfaces-config': { interfaces: [segment.coreInterface], 'dhcp-socket-type': 'udp' },
    'lease-database': { type: 'memfile', persist: true, name: leases, 'lfc-interval': 0 },
    'valid-lifetime': 3600,
    subnet4: [{ id: 1, subnet: SUBNET, pools: [{ pool: `${POOL.first} - ${POOL.last}` }] }],
    loggers: [{ name: 'kea-dhcp4', severity: 'WARN', output_options: [{ output: 'stdout' }] }],
    'sanity-checks': { 'lease-checks': 'none' },
  };
  writeFileSync(file, JSON.stringify({ Dhcp4: dhcp4 }));
  return async () => {
    const env = { KEA_PIDFILE_DIR: lab.folder, KEA_LOCKFILE_DIR: lab.folder };
    const kea = await lab.core.start(['kea-dhcp4', '-c', file], { name: 'kea', env });
    await untilBound(lab, 67);
    return kea;
  };
}

function dnsmasqStart(lab: Lab, segment: Segment): Start {
  return async () => {
    const dnsmasq = await lab.core.start(
      [
        ...['dnsmasq', '--keep-in-foreground', '--conf-file=/dev/null', '--port=0', '--no-ping'],
        ...['--quiet-dhcp', '--log-facility=-', `--interface=${segment.coreInterface}`, '--bind-interfaces'],
        ...[`--dhcp-range=${POOL.first},${POOL.last},255.255.0.0,1h`, '--dhcp-lease-max=100000'],
        ...['--dhcp-authoritative', `--dhcp-leasefile=${lab.folder}/dnsmasq.leases`],
      ],
      { name: 'dnsmasq' },
    );
    await untilBound(lab, 67);
    return dnsmasq;
  };
}

async function untilBound(lab: Lab, port: number): Promise<void> {
  const deadline = Date.now() + UP_MS;
  while (Date.now() < deadline) {
    const { stdout } = await lab.core.run(['ss', '-Hlun', `sport = :${port}`]);
    if (stdout.trim() !== '') return;
  }
  throw new Error(`nobody listened on UDP port ${port} within ${UP_MS} ms`);
}
