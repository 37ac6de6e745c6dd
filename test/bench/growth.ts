import { cpSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Site } from '../boot/index.ts';
import { type Host, Lab, type Process, type Segment } from '../lab/index.ts';
import { type Bench, type Case, type Measurement, OURS } from './bench.ts';
import { exchange, highestRate } from './perfdhcp.ts';

/** The segment that is measured; its giaddr is the load generator's address. */
const SUBNET = '10.100.0.0/14';
const LOAD_ADDRESS = '10.100.0.2';
const POOL = { first: '10.100.8.0', last: '10.103.247.255' } as const;
const SEGMENTS = [1, 10, 100, 1000] as const;
const LEASES = [1000, 10_000, 100_000] as const;
/** Those who ask while it is measured: known ones, so that the number of leases stays what it is. */
const CLIENTS = LEASES[0];
/** Twenty-one searches for the highest rate take long enough. */
const FIRST_RATE = 2000;
/** At which leases are laid in before measuring. */
const FILL_RATE = 2500;

/** Whether DHCP keeps its rate when segments and leases become many: the largest against the smaller ones. */
export const growthBench: Bench = {
  name: 'growth',
  summary: 'four-way exchanges with 1 to 1,000 segments, and with 1,000 to 100,000 leases, against itself',
  better: { dora_per_s: 'more' },
  async prepare(say) {
    const lab = await Lab.create('bench-growth');
    try {
      const segment = await lab.addSegment({ relay: 'none', subnet: SUBNET });
      const load = await segment.addHost('load', { address: LOAD_ADDRESS });
      const site = await Site.start(lab);
      const on = segment.coreInterface ?? '';
      await site.addEdge('edge1', on);
      const bySegments: [string, Start][] = [];
      for (const count of SEGMENTS) {
        say(`segments: ${count}`);
        bySegments.push([String(count), await startWithSegments(site, on, count)]);
      }
      // Every edge from here on goes by the desired state in its own folder.
      await site.edge.stop();
      await site.controller.stop();
      const byLeases: [string, Start][] = [];
      for (const count of LEASES) {
        say(`leases: ${count}`);
        byLeases.push([String(count), await startWithLeases(lab, site, on, load, segment, count)]);
      }
      return {
        cases: [caseOf('segments', bySegments, load, segment), caseOf('leases', byLeases, load, segment)],
        [Symbol.asyncDispose]: () => lab[Symbol.asyncDispose](),
      };
    } catch (error) {
      await lab[Symbol.asyncDispose]();
      throw error;
    }
  },
};

type Start = () => Promise<Process>;

/** The largest is `ours`; the others are its peers, by their size. */
function caseOf(
  name: string,
  starts: readonly (readonly [string, Start])[],
  load: Host,
  segment: Segment,
): Case {
  const measured = starts.map(([size, start], index) => {
    const subject = index === starts.length - 1 ? OURS : size;
    return [
      subject,
      () =>
        withServer(start, () =>
          highestRate(load, segment.edgeAddress, { clients: CLIENTS, firstRate: FIRST_RATE }),
        ),
    ] as const;
  });
  return { name, subjects: Object.fromEntries(measured) };
}

async function withServer(start: Start, run: () => Promise<Measurement>): Promise<Measurement> {
  const server = await start();
  try {
    const { dora_per_s = 0, idle = 0 } = await run();
    return { dora_per_s, idle };
  } finally {
    await server.stop();
  }
}

/** An edge that follows so many segments, each with its data in a folder of its own. */
async function startWithSegments(site: Site, on: string, count: number): Promise<Start> {
  const { lab } = site;
  const others = Array.from({ length: count - 1 }, (_, n) => {
    const subnet = `10.${128 + (n >> 8)}.${n & 255}`;
    return {
      name: `other${n}`,
      subnet: `${subnet}.0/24`,
      pools: [{ first: `${subnet}.10`, last: `${subnet}.250` }],
      edges: ['edge1'],
    };
  });
  const measured = {
    name: 'load',
    subnet: SUBNET,
    pools: [POOL],
    edges: ['edge1'],
    limits: { perMac: 10_000 },
  };
  const file = join(lab.folder, 'segments.json');
  writeFileSync(file, JSON.stringify({ segments: [measured, ...others] }));
  await site.bootswarm('segment', 'apply', file);
  await site.edge.output.waitFor(new RegExp(`"segments":${count},.*following a new desired state`), 30_000);
  await site.edge.stop();
  const name = `segments${count}`;
  cpSync(join(lab.folder, 'edge1'), join(lab.folder, name), { recursive: true });
  await site.startEdge('edge1', [on]);
  return () => site.startEdge(name, [on]);
}

async function startWithLeases(
  lab: Lab,
  site: Site,
  on: string,
  load: Host,
  segment: Segment,
  count: number,
): Promise<Start> {
  const name = `leases${count}`;
  cpSync(join(lab.folder, 'segments1'), join(lab.folder, name), { recursive: true });
  const edge = await site.startEdge(name, [on]);
  await exchange(load, segment.edgeAddress, {
    rate: FILL_RATE,
    clients: count,
    seconds: Math.ceil((count * 1.1) / FILL_RATE),
  });
  await edge.stop();
  return () => site.startEdge(name, [on]);
}
