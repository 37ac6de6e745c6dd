import {
  type Edge,
  type Intent,
  type Machine,
  type Profile,
  type RolloutOrder,
  type RolloutPlace,
  rackOf,
  type Segment,
  withLife,
} from '@bootswarm/controller/contract';
import type { Candidate } from './planner/index.ts';

/** What candidates are judged by. */
export interface CandidateView {
  readonly segments: ReadonlyMap<string, Segment>;
  readonly edges: ReadonlyMap<string, Edge>;
  readonly profiles: ReadonlyMap<string, Profile>;
  /** The release itself, where a reference names a channel; undefined where there is none any more. */
  readonly releaseOf: (reference: string) => string | undefined;
  /** The rollout that is at work on a machine. */
  readonly takenBy: (machine: string) => string | undefined;
}

/** A machine as a rollout sees it before it begins. Pure. */
export function candidateOf(
  machine: Machine,
  order: RolloutOrder,
  wanted: Intent,
  view: CandidateView,
): Candidate {
  const { id, reservation } = machine;
  const isOthers = reservation !== undefined && reservation !== order.reservation;
  return {
    machine: id,
    place: placeOf(machine, view),
    before: beforeOf(machine, order, view),
    hasRelease: hasIntent(machine, wanted, view),
    isInMaintenance: withLife(machine).state === 'maintenance',
    reservedBy: isOthers ? reservation : undefined,
    takenBy: view.takenBy(id),
  };
}

/** Its uplink is the site of the edges of its segment. */
function placeOf(machine: Machine, { segments, edges }: CandidateView): RolloutPlace {
  const segment =
    machine.segment !== undefined && segments.has(machine.segment) ? machine.segment : undefined;
  const rack = rackOf(machine);
  const named = segment === undefined ? [] : (segments.get(segment)?.edges ?? []);
  const uplink = named.map((edge) => edges.get(edge)?.site).find((site) => site !== undefined);
  return {
    ...(segment === undefined ? {} : { segment }),
    ...(rack === undefined ? {} : { rack }),
    ...(uplink === undefined ? {} : { uplink }),
  };
}

/**
 * What the machine goes back to: the release that it has now, by its own name, so that a channel that moves meanwhile
 * does not lead elsewhere. What boots live leaves the disk as it is, so that going back there needs no release.
 */
function beforeOf(machine: Machine, order: RolloutOrder, view: CandidateView): Intent | undefined {
  const held = exactIntent(machine.intent, view);
  if (held !== undefined && hasWorked(machine)) return held;
  if (order.profile === undefined)
    return machine.intent?.kind === 'menu' ? machine.intent : { kind: 'local' };
  return order.rollbackTo === undefined
    ? undefined
    : { kind: 'install', profile: order.profile, release: order.rollbackTo };
}

/** An intent with the release itself in it; undefined where it brings none. */
function exactIntent(intent: Intent | undefined, { profiles, releaseOf }: CandidateView): Intent | undefined {
  switch (intent?.kind) {
    case 'live': {
      const release = releaseOf(intent.release);
      return release === undefined ? undefined : { ...intent, release };
    }
    case 'install': {
      const reference = intent.release ?? profiles.get(intent.profile)?.release;
      const release = reference === undefined ? undefined : releaseOf(reference);
      return release === undefined ? undefined : { ...intent, release };
    }
    case 'installer':
      return intent;
    default:
      return undefined;
  }
}

/** Whether the machine holds what its intent says: an installation that failed is nothing to go back to. */
function hasWorked({ intent, epoch, work, spent }: Machine): boolean {
  switch (intent?.kind) {
    case 'live':
      return true;
    case 'install':
      return work?.epoch === epoch && (work?.state === 'active' || work?.state === 'done');
    case 'installer':
      return spent !== undefined && spent.epoch === epoch && spent.cause === undefined;
    default:
      return false;
  }
}

function hasIntent(machine: Machine, wanted: Intent, view: CandidateView): boolean {
  const { intent, work, epoch } = machine;
  if (intent?.kind === 'live' && wanted.kind === 'live')
    // A channel may have moved since the machine booted.
    return intent.release === wanted.release && intent.by === wanted.by;
  if (intent?.kind !== 'install' || wanted.kind !== 'install') return false;
  const held = exactIntent(intent, view);
  const isSame =
    held?.kind === 'install' && held.profile === wanted.profile && held.release === wanted.release;
  return isSame && work?.epoch === epoch && work?.state === 'active';
}
