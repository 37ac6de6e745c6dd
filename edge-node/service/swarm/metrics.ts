import type { MachineWork } from '@bootswarm/controller/contract';
import type { SwarmStats } from '@bootswarm/images/swarm';

/** What an edge gives of an artefact. */
export interface SeedStats extends Pick<SwarmStats, 'uploaded' | 'peers'> {
  readonly name: string;
  readonly sha256: string;
}

export interface MetricFacts {
  readonly counters: Readonly<Record<string, number>>;
  readonly seeds: readonly SeedStats[];
  readonly work: readonly MachineWork[];
}

type Labels = Readonly<Record<string, string>>;
type Sample = readonly [labels: Labels, value: number];

/** What an edge does, in the text format of Prometheus 0.0.4. Pure. */
export function metricsText({ counters, seeds, work }: MetricFacts): string {
  const ofSeed = ({ name, sha256 }: SeedStats): Labels => ({ artefact: name, sha256 });
  const swarms = work.flatMap(({ progress: { swarm } }) => swarm ?? []);
  const sum = (of: 'fromNeighbours' | 'fromEdge' | 'fromHttp' | 'given'): number =>
    swarms.reduce((all, each) => all + each[of], 0);
  const steps = Map.groupBy(work, ({ progress }) => progress.step);
  return [
    family('bootswarm_events_total', 'counter', 'What the edge counted since its start', [
      ...Object.entries(counters).map(([event, count]): Sample => [{ event }, count]),
    ]),
    family('bootswarm_swarm_given_bytes_total', 'counter', 'Bytes that this edge gave to a swarm', [
      ...seeds.map((seed): Sample => [ofSeed(seed), seed.uploaded]),
    ]),
    family('bootswarm_swarm_peers', 'gauge', 'Peers that are connected to this edge', [
      ...seeds.map((seed): Sample => [ofSeed(seed), seed.peers.length]),
    ]),
    family('bootswarm_swarm_banned_peers', 'gauge', 'Addresses that gave wrong pieces to machines at work', [
      [{}, new Set(swarms.flatMap(({ banned }) => banned)).size],
    ]),
    family('bootswarm_machines_at_work', 'gauge', 'Machines whose agent is at a step', [
      ...[...steps].map(([step, machines]): Sample => [{ step }, machines.length]),
    ]),
    family('bootswarm_fetched_bytes', 'gauge', 'Bytes that machines at work have of a source', [
      [{ from: 'neighbours' }, sum('fromNeighbours')],
      [{ from: 'edge' }, sum('fromEdge')],
      [{ from: 'http' }, sum('fromHttp')],
    ]),
    family('bootswarm_given_bytes', 'gauge', 'Bytes that machines at work gave to neighbours', [
      [{}, sum('given')],
    ]),
  ].join('');
}

function family(name: string, type: 'counter' | 'gauge', help: string, samples: readonly Sample[]): string {
  if (samples.length === 0) return '';
  const lines = samples.map(([labels, value]) => `${name}${labelText(labels)} ${value}`);
  return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...lines, ''].join('\n');
}

function labelText(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`);
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

function escaped(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}
