import { type ConsoleMatch, Lab, type Machine, type Segment } from '../lab/index.ts';
import { buildMini, buildMinimal } from './build.ts';
import { Site } from './site.ts';
import type { StageReport } from './stages.ts';

/** Many machines at a time, emulated on two shared cores. */
const AGENT_MS = 15 * 60_000;
const FETCH_MS = 10 * 60_000;
const LOGIN_MS = 20 * 60_000;
/** Of a machine's link, in Mbit/s; that of the edge has twice as much. Two cores emulate six machines that fetch as fast. */
const MACHINE_MBIT = 24;
const LINK = { burstKib: 64, queueMs: 100 };
const MEMORY_MIB = 1536;
const FETCHED =
  /came from neighbours \((?<neighbours>\d+) bytes\), the edge \((?<edge>\d+)\) and by HTTP \((?<http>\d+)\)/;

/** How a machine got its image. */
interface Fetched {
  readonly name: string;
  readonly seconds: number;
  /** Bytes. */
  readonly neighbours: number;
  readonly edge: number;
  readonly http: number;
}

/**
 * `npm run demo -- --swarm N`: so many machines boot live at once from an edge whose link is only twice as fast as that of
 * one of them, and then one more.
 * @throws at the first thing that is not as it should be.
 */
export async function swarmDemo(count: number, report: StageReport): Promise<void> {
  await using lab = await Lab.create('demo');
  const segment = await lab.addSegment({ relay: 'dhcrelay' });
  const site = await Site.start(lab);
  await site.addEdge('edge1', lab.core.bridge);
  await site.addSegment(segment, 'edge1');
  report.tell({ stage: 'site', detail: 'a controller, and an edge for a segment behind dhcrelay' });
  const release = await publishAll(site, report);
  await site.changeSegment(segment, { swarm: { from: 2 } });
  if (!segment.router) throw new Error('the segment has no relay');
  await segment.router.shape('segment', { ...LINK, mbit: 2 * MACHINE_MBIT });
  report.tell({
    stage: 'links',
    detail: `edge ${2 * MACHINE_MBIT} Mbit/s, each machine ${MACHINE_MBIT} Mbit/s`,
  });

  const names = Array.from({ length: count + 1 }, (_, at) => `m${at + 1}`);
  const macs = names.map((_, at) => `52:54:00:b0:09:${(at + 1).toString(16).padStart(2, '0')}`);
  for (const mac of macs) await site.bootswarm('machine', 'boot', mac, 'live', release, '--by-agent');
  report.tell({ stage: 'intent', detail: `bootswarm machine boot MAC live ${release} --by-agent` });
  await site.releaseReady(release);

  const live = (at: number): LiveMachine => new LiveMachine(segment, names[at] ?? '', macs[at] ?? '', report);
  const machines = names.slice(0, count).map((_, at) => live(at));
  const fetched = await Promise.all(machines.map((machine) => machine.fetch()));
  tellTable(fetched, report);
  await Promise.all(machines.map((machine) => machine.login()));
  const late = live(count);
  const lateFetched = await late.fetch();
  tellTable([lateFetched], report);
  await late.login();
  requireSwarm(fetched, lateFetched);
  const seconds = fetched.map((each) => each.seconds);
  report.tell({
    stage: 'done',
    detail: `${count} machines run from memory; the slowest fetched for ${Math.max(...seconds).toFixed(0)} s, the quickest for ${Math.min(...seconds).toFixed(0)} s; one that came later had it of them`,
  });
}

/** @returns the live release; the mini image that the site uses is another. */
async function publishAll(site: Site, report: StageReport): Promise<string> {
  const [mini, image] = [`${site.lab.folder}/mini`, `${site.lab.folder}/image`];
  report.tell({ stage: 'mini', detail: 'bootswarm mini build: the image with the agent' });
  await buildMini('vm', mini, site.env);
  const miniRelease = await site.publish(mini);
  await site.bootswarm('mini', 'use', miniRelease);
  await buildMinimal(image, (detail) => report.tell({ stage: 'build', detail }));
  const release = await site.publish(image);
  report.tell({ stage: 'publish', detail: `${release} by bootswarm image publish` });
  await site.releaseReady(miniRelease);
  return release;
}

/** One machine on its way into memory. */
class LiveMachine {
  readonly #segment: Segment;
  readonly #name: string;
  readonly #mac: string;
  readonly #report: StageReport;
  #machine: Machine | undefined;

  constructor(segment: Segment, name: string, mac: string, report: StageReport) {
    this.#segment = segment;
    this.#name = name;
    this.#mac = mac;
    this.#report = report;
  }

  /** Powers it on. Resolves once it has all of its image. */
  async fetch(): Promise<Fetched> {
    const name = this.#name;
    const machine = await this.#segment.startMachine({
      ...{ name, firmware: 'bios', mac: this.#mac, memoryMiB: MEMORY_MIB },
    });
    this.#machine = machine;
    await this.#segment.shape(machine.tap, { ...LINK, mbit: MACHINE_MBIT });
    this.#tell('power on', `${this.#mac} in segment ${this.#segment.number}`);
    const began = await this.#said(/fetch: \S+\r?\n/, AGENT_MS);
    this.#tell('fetch', `the agent begins, ${began.seconds.toFixed(0)} s after power-on`);
    const { match, seconds } = await this.#said(FETCHED, FETCH_MS);
    const { neighbours = '', edge = '', http = '' } = match.groups ?? {};
    this.#tell('fetched', match[0]);
    return {
      ...{ name, seconds: seconds - began.seconds },
      ...{ neighbours: Number(neighbours), edge: Number(edge), http: Number(http) },
    };
  }

  async login(): Promise<void> {
    const { seconds } = (await this.#machine?.waitFor(/login: $/, LOGIN_MS)) ?? { seconds: 0 };
    this.#tell('login', `the login prompt, ${seconds.toFixed(0)} s after power-on`);
  }

  /** @throws as soon as the agent says that it failed. */
  async #said(pattern: RegExp, timeoutMs: number): Promise<ConsoleMatch> {
    const either = new RegExp(`${pattern.source}|live .* failed: (?<failure>.*)`);
    const found = await (this.#machine as Machine).waitFor(either, timeoutMs);
    const { failure } = found.match.groups ?? {};
    if (failure !== undefined) throw new Error(`${this.#name}: ${failure.trim()}`);
    return found;
  }

  #tell(stage: string, detail: string): void {
    this.#report.tell({ stage, machine: this.#name, detail });
  }
}

function tellTable(fetched: readonly Fetched[], report: StageReport): void {
  const row = (cells: readonly string[]): string => cells.map((cell) => cell.padStart(11)).join('');
  const mib = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MiB`;
  report.tell({ stage: 'table', detail: row(['machine', 'neighbours', 'edge', 'HTTP', 'seconds']) });
  for (const { name, neighbours, edge, http, seconds } of fetched)
    report.tell({
      stage: 'table',
      detail: row([name, mib(neighbours), mib(edge), mib(http), seconds.toFixed(0)]),
    });
}

/** @throws where the edge gave more than the neighbours did. */
function requireSwarm(fetched: readonly Fetched[], late: Fetched): void {
  const sum = (of: 'neighbours' | 'edge' | 'http'): number =>
    fetched.reduce((all, each) => all + each[of], 0);
  if (sum('neighbours') <= sum('edge') + sum('http'))
    throw new Error('the edge gave more than the neighbours did');
  if (late.neighbours <= late.edge + late.http)
    throw new Error('the machine that came later had more of the edge than of those that run from memory');
}
