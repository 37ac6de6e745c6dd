import {
  type Intent,
  ROLLOUT_STEPS,
  type Rollout,
  type RolloutCause,
  type RolloutMachine,
  type RolloutStep,
} from '@bootswarm/controller/contract';

/** What edges and agents said of a machine since the rollout set its intent, under that intent's epoch. */
export type Seen =
  | { readonly kind: 'nothing' | 'begun' | 'up' | 'gone' | 'superseded' }
  | { readonly kind: 'failed'; readonly detail: string };

/** A rollout that is not over, with its machines in the order in which their turn comes. */
export interface RolloutView {
  readonly rollout: Rollout;
  readonly machines: readonly RolloutMachine[];
}

/** All that the planner decides by, at one moment. */
export interface SiteView {
  readonly now: Date;
  /** The eldest first: it has the first choice of what is free. */
  readonly rollouts: readonly RolloutView[];
  readonly seen: (record: RolloutMachine) => Seen;
  /** For so long a machine that is armed may begin by itself before its power is cycled. */
  readonly settleMs: number;
  /** No power is switched before: what edges had to tell while there was no controller has come by then. */
  readonly powerFrom: Date;
  /** Machines whose hook, check or power action goes on; by id. */
  readonly busy: ReadonlySet<string>;
  readonly edgesOf: (segment: string) => readonly string[];
  /** Why machines of a segment may not be sent to its edges for a release; undefined where they may. */
  readonly lackOf: (release: string, segment: string | undefined) => string | undefined;
}

/** A machine goes on to another step; `arm` is set in the same commit. */
export interface Move {
  readonly kind: 'move';
  readonly rollout: string;
  readonly machine: string;
  readonly from: RolloutStep;
  readonly to: RolloutStep;
  readonly arm?: Intent;
  readonly cause?: RolloutCause;
  readonly detail?: string;
}

/** Something to be done outside, for the step at which a machine is. */
export interface Errand {
  readonly kind: 'errand';
  readonly rollout: string;
  readonly machine: string;
  readonly errand: ErrandKind;
}

export type ErrandKind = 'before' | 'power' | 'check' | 'after';

/** The rollout itself changes: its state, or that of a wave. */
interface Turn {
  readonly kind: 'turn';
  readonly rollout: string;
  readonly next: Rollout;
}

export type Action = Move | Errand | Turn;

export function isInFlight({ step }: Pick<RolloutMachine, 'step'>): boolean {
  return ROLLOUT_STEPS[step].inFlight;
}

/** What the rollout makes of its machines. */
export function intentOfRollout({ order, release }: Pick<Rollout, 'order' | 'release'>): Intent {
  if (order.profile !== undefined) return { kind: 'install', profile: order.profile, release };
  return { kind: 'live', release, ...(order.by === undefined ? {} : { by: order.by }) };
}

export function releaseOfIntent(intent: Intent | undefined): string | undefined {
  return intent && 'release' in intent ? intent.release : undefined;
}
