import {
  type Intent,
  parseWaves,
  type RolloutOrder,
  type RolloutPlace,
  type SkippedMachine,
  type WaveGroup,
  type WaveRule,
} from '@bootswarm/controller/contract';
import type { SiteView } from './view.ts';

/** A machine that the selector of an order matches. */
export interface Candidate {
  readonly machine: string;
  readonly place: RolloutPlace;
  /** What it would go back to. */
  readonly before?: Intent | undefined;
  readonly hasRelease: boolean;
  readonly isInMaintenance: boolean;
  readonly reservedBy?: string | undefined;
  /** The rollout that is at work on it. */
  readonly takenBy?: string | undefined;
}

export interface PlannedWave {
  readonly name: string;
  readonly machines: readonly Candidate[];
}

/**
 * Who comes in which wave, and who is left out. Machines come in the order of their ids, so that the same order over
 * the same machines gives the same waves. Pure.
 */
export function wavesOf(
  { waves }: Pick<RolloutOrder, 'waves'>,
  candidates: readonly Candidate[],
): { readonly waves: readonly PlannedWave[]; readonly skipped: readonly SkippedMachine[] } {
  const inOrder = candidates.toSorted((a, b) => (a.machine < b.machine ? -1 : 1));
  const skipped: SkippedMachine[] = [];
  const taken: Candidate[] = [];
  for (const candidate of inOrder) {
    const reason = skipOf(candidate);
    if (reason === undefined) taken.push(candidate);
    else skipped.push(reason);
  }
  return { waves: divide(parseWaves(waves), taken), skipped };
}

function skipOf({
  machine,
  place,
  hasRelease,
  isInMaintenance,
  reservedBy,
  takenBy,
}: Candidate): SkippedMachine | undefined {
  if (hasRelease) return { machine, reason: 'has_release' };
  if (isInMaintenance) return { machine, reason: 'maintenance' };
  if (reservedBy !== undefined) return { machine, reason: 'reserved', by: reservedBy };
  if (takenBy !== undefined) return { machine, reason: 'taken', by: takenBy };
  if (place.segment === undefined) return { machine, reason: 'segment_unknown' };
  return undefined;
}

/** Waves that nobody is left for are left out. */
function divide(rules: readonly WaveRule[], machines: readonly Candidate[]): readonly PlannedWave[] {
  const waves: PlannedWave[] = [];
  let at = 0;
  for (const rule of rules) {
    const left = machines.slice(at);
    if (rule.kind === 'by') {
      waves.push(...groups(rule.group, left));
      break;
    }
    const size = sizeOf(rule, machines.length);
    if (left.length > 0) waves.push({ name: String(waves.length + 1), machines: left.slice(0, size) });
    at += size;
  }
  return waves;
}

function sizeOf(rule: Exclude<WaveRule, { readonly kind: 'by' }>, all: number): number {
  switch (rule.kind) {
    case 'count':
      return rule.machines;
    case 'percent':
      return Math.max(1, Math.ceil((all * rule.percent) / 100));
    case 'rest':
      return all;
  }
}

function groups(group: WaveGroup, machines: readonly Candidate[]): readonly PlannedWave[] {
  const byGroup = Map.groupBy(machines, ({ place }) => place[group]);
  const named = [...byGroup].toSorted(([a], [b]) => byName(a, b));
  return named.map(([name, of]) => ({
    name: name === undefined ? `no ${group}` : `${group} ${name}`,
    machines: of,
  }));
}

/** `r2` before `r10`; those of which it is not known come last. */
function byName(a: string | undefined, b: string | undefined): number {
  if (a === undefined || b === undefined) return a === b ? 0 : a === undefined ? 1 : -1;
  return a.localeCompare(b, 'en', { numeric: true }) || (a < b ? -1 : 1);
}

/**
 * How long it takes at the least where every machine takes `secondsEach`: each wave as many rounds as its tightest
 * limit makes necessary, and its soak. Windows and approvals come on top. Pure.
 */
export function secondsOf(
  waves: readonly PlannedWave[],
  { limits, gates }: Pick<RolloutOrder, 'limits' | 'gates'>,
  secondsEach: number,
  edgesOf: SiteView['edgesOf'],
): number {
  return waves.reduce((seconds, { machines }) => {
    const { atOnce, perEdge, perSegment, perRack, perUplink } = limits;
    const rounds = Math.max(
      Math.ceil(machines.length / atOnce),
      roundsOf(machines, perSegment, ({ segment }) => (segment === undefined ? [] : [segment])),
      roundsOf(machines, perEdge, ({ segment }) => (segment === undefined ? [] : edgesOf(segment))),
      roundsOf(machines, perRack, ({ rack }) => (rack === undefined ? [] : [rack])),
      roundsOf(machines, perUplink, ({ uplink }) => (uplink === undefined ? [] : [uplink])),
    );
    return seconds + rounds * secondsEach + gates.soakMinutes * 60;
  }, 0);
}

function roundsOf(
  machines: readonly Candidate[],
  limit: number | undefined,
  keysOf: (place: RolloutPlace) => readonly string[],
): number {
  if (limit === undefined) return 0;
  const counts = new Map<string, number>();
  for (const { place } of machines)
    for (const key of keysOf(place)) counts.set(key, (counts.get(key) ?? 0) + 1);
  return Math.ceil(Math.max(0, ...counts.values()) / limit);
}
