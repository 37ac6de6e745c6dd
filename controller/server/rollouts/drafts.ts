import {
  type Intent,
  type Machine,
  type Profile,
  problem,
  type Rollout,
  type RolloutMachine,
  type RolloutOrder,
  type RolloutPlan,
  type SkippedMachine,
  skipText,
} from '@bootswarm/controller/contract';
import { edgeArtefacts, type Manifest } from '@bootswarm/images/format';
import { candidateOf } from './candidates.ts';
import { CLAIMS_PREFIX } from './keys.ts';
import {
  type Candidate,
  intentOfRollout,
  type PlannedWave,
  releaseOfIntent,
  secondsOf,
  wavesOf,
} from './planner/index.ts';
import type { Sight, SightParts } from './sight.ts';

export interface DraftParts extends SightParts {
  readonly sight: Sight;
  readonly machinesOf: (selector: string) => Promise<readonly Machine[]>;
  readonly profiles: () => Promise<readonly Profile[]>;
  /** The releases that references lead to now: channels by what they point to, releases by themselves. */
  readonly releases: () => Promise<(reference: string) => string | undefined>;
  /** The last rollouts, for how long their machines took. */
  readonly past: () => Promise<readonly Rollout[]>;
}

/** What an order comes to now; nothing of it is kept yet. */
export interface Draft {
  readonly order: RolloutOrder;
  readonly release: string;
  readonly intent: Intent;
  readonly waves: readonly PlannedWave[];
  readonly skipped: readonly SkippedMachine[];
  readonly matched: readonly Machine[];
  readonly plan: RolloutPlan;
}

/** @throws Problem machine_release_unknown, channel_unknown, rollout_empty */
export async function draftRollout(parts: DraftParts, order: RolloutOrder, now: Date): Promise<Draft> {
  const releaseOf = await parts.releases();
  const release = releaseOf(order.release);
  const manifest = release === undefined ? undefined : await parts.manifestOf(release);
  if (release === undefined || manifest === undefined)
    throw order.release.includes('/@')
      ? problem('channel_unknown', { field: 'release', facts: { channel: order.release } })
      : problem('machine_release_unknown', { field: 'release', facts: { release: order.release } });
  const intent = intentOfRollout({ order, release });
  const matched = await parts.machinesOf(order.match);
  const edges = await parts.sight.edges();
  const claims = await parts.store.list(CLAIMS_PREFIX);
  const taken = new Map(claims.map(({ key, value }) => [key.slice(CLAIMS_PREFIX.length), String(value)]));
  const profiles = new Map((await parts.profiles()).map((profile) => [profile.name, profile]));
  const view = {
    ...edges,
    profiles,
    releaseOf,
    takenBy: (machine: string) => taken.get(machine),
  };
  const candidates = matched.map((machine) => candidateOf(machine, order, intent, view));
  const { waves, skipped } = wavesOf(order, candidates);
  if (waves.length === 0) requireFree(order, skipped);
  if (waves.length === 0) throw emptyRollout(order, matched.length, skipped);
  const lackOf = await parts.sight.lacks(edges, [release], now);
  const taking = waves.flatMap(({ machines }) => machines);
  const segments = [...new Set(taking.flatMap(({ place }) => place.segment ?? []))].toSorted();
  const mini = (await parts.mini())[manifest.architecture];
  const agent = mini === undefined || intent.kind === 'live' ? undefined : await parts.manifestOf(mini);
  const past = (await parts.past()).find(({ order: { profile }, tookSeconds }) =>
    tookSeconds === undefined ? false : (profile === undefined) === (order.profile === undefined),
  );
  const secondsEach = past?.tookSeconds ?? order.gates.firstBootMinutes * 60;
  return {
    order,
    release,
    intent,
    waves,
    skipped,
    matched,
    plan: {
      release,
      waves: waves.map(({ name, machines }) => ({ name, machines: machines.map(({ machine }) => machine) })),
      skipped: [...skipped],
      withoutBefore: taking.filter(({ before }) => before === undefined).length,
      notReady: segments.flatMap((segment) => {
        const reason = lackOf(release, segment);
        return reason === undefined ? [] : [{ segment, reason }];
      }),
      estimate: {
        bytes: taking.length * (bytesOf(manifest) + (agent === undefined ? 0 : bytesOf(agent))),
        seconds: secondsOf(waves, order, secondsEach, (segment) => edges.segments.get(segment)?.edges ?? []),
        basis: past === undefined ? 'deadline' : 'measured',
      },
    },
  };
}

/** @throws Problem rollout_machine_taken */
export function requireFree(order: RolloutOrder, skipped: readonly SkippedMachine[]): void {
  if (order.taken === 'skip') return;
  const others = skipped.filter(({ reason }) => reason === 'taken');
  const [first] = others;
  if (first !== undefined) throw taken(first.by ?? '', first.machine, others.length - 1);
}

export function taken(other: string, machine: string, more: number): Error {
  return problem('rollout_machine_taken', { field: 'match', facts: { other, machine, more } });
}

/** All that edges hold of a release is what machines fetch of it. */
function bytesOf(manifest: Manifest): number {
  return edgeArtefacts(manifest).reduce((sum, { length }) => sum + length, 0);
}

function emptyRollout({ match }: RolloutOrder, matched: number, skipped: readonly SkippedMachine[]): Error {
  const counts = Map.groupBy(skipped, (each) => skipText(each));
  const list = [...counts].slice(0, 5).map(([text, of]) => `${of.length}: ${text}`);
  const reasons = list.length === 0 ? '' : ` (${list.join('; ')})`;
  return problem('rollout_empty', { field: 'match', facts: { match, matched, reasons } });
}

/** The rollout and its machines, as they are kept when it starts. Pure. */
export function keptOf(
  { order, release, waves, skipped, plan }: Draft,
  now: Date,
): { readonly rollout: Rollout; readonly machines: readonly RolloutMachine[] } {
  const at = now.toISOString();
  const taking = waves.flatMap(({ machines }, wave) => machines.map((machine) => ({ machine, wave })));
  const before = taking.flatMap(({ machine }) => releaseOfIntent(machine.before) ?? []);
  const { seconds } = plan.estimate;
  return {
    rollout: {
      order,
      release,
      releasesBefore: [...new Set(before)].filter((each) => each !== release).toSorted(),
      state: 'running',
      since: at,
      startedAt: at,
      wave: 0,
      waves: waves.map(({ name, machines }) => ({
        name,
        size: machines.length,
        state: 'pending',
        since: at,
      })),
      segments: [...new Set(taking.flatMap(({ machine }) => machine.place.segment ?? []))].toSorted(),
      skipped: skipped.length,
      estimatedSeconds: seconds,
      revision: 1,
    },
    machines: taking.map(({ machine, wave }) => recordOf(machine, wave, at)),
  };
}

function recordOf({ machine, place, before }: Candidate, wave: number, since: string): RolloutMachine {
  return {
    machine,
    wave,
    place,
    ...(before === undefined ? {} : { before }),
    step: 'waiting',
    since,
  };
}
