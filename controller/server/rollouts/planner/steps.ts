import type { Intent, Rollout, RolloutMachine, RolloutStep } from '@bootswarm/controller/contract';
import { afterHealth } from './errands.ts';
import { move } from './move.ts';
import {
  type Errand,
  type ErrandKind,
  intentOfRollout,
  type Move,
  releaseOfIntent,
  type SiteView,
} from './view.ts';

/** Power actions for one epoch: the first, and one more where the machine gave no sign. */
const POWER_ACTIONS_MOST = 2;

type Context = Pick<SiteView, 'now' | 'seen' | 'busy' | 'lackOf' | 'settleMs' | 'powerFrom'>;
type Decision = Move | Errand | undefined;

/**
 * What a machine whose turn has come does next, as far as that takes no more room under the limits. Pure.
 * `undoOf` and the beginning do.
 */
export function stepOf(record: RolloutMachine, rollout: Rollout, context: Context): Decision {
  const on = { record, rollout, context };
  switch (record.step) {
    case 'draining':
      return errandOr(on, 'before', () => move(on, 'failed', { cause: 'hook_failed', detail: LATE }));
    case 'drained':
      return ofDrained(on);
    case 'armed':
      return ofArmed(on);
    case 'powering':
      return ofPowering(on, 'booting', 'failed');
    case 'undo_powering':
      return ofPowering(on, 'undo_booting', 'undo_failed');
    case 'booting':
      return ofBooting(on);
    case 'checking':
      return ofChecking(on);
    case 'returning':
      return errandOr(on, 'after', () => move(on, 'failed', { cause: 'hook_failed', detail: LATE }));
    case 'done':
      return ofDone(on);
    case 'undo_armed':
      return ofUndoArmed(on);
    case 'undo_booting':
      return ofUndoBooting(on);
    case 'undo_returning':
      return errandOr(on, 'after', () => move(on, 'undo_failed', { cause: 'hook_failed', detail: LATE }));
    default:
      return undefined;
  }
}

const LATE = 'its deadline passed while nobody saw to it';

interface On {
  readonly record: RolloutMachine;
  readonly rollout: Rollout;
  readonly context: Context;
}

/** What becomes of a machine that has been touched when its rollout goes back. Pure. */
export function undoOf(record: RolloutMachine, rollout: Rollout, context: Context): Decision {
  const on = { record, rollout, context };
  if (!isUndoable(record)) return undefined;
  const seen = context.seen(record);
  if (seen.kind === 'superseded' || seen.kind === 'gone') return lost(on, seen.kind, 'undo_failed');
  const { before, place } = record;
  if (before === undefined) return move(on, 'undo_failed', { cause: 'nothing_before' });
  const release = releaseOfIntent(before);
  const lack = release === undefined ? undefined : context.lackOf(release, place.segment);
  if (lack === undefined) return move(on, 'undo_armed', { arm: before });
  const waited = context.now.getTime() - Date.parse(rollout.since);
  if (waited < rollout.order.edgeWaitMinutes * 60_000) return undefined;
  return move(on, 'undo_failed', { cause: 'edge_not_ready', detail: lack });
}

/** Whether it holds what the rollout gave it, and nobody else has taken it over. */
export function isUndoable({ step, epoch, cause }: RolloutMachine): boolean {
  if (epoch === undefined || cause === 'superseded' || cause === 'machine_gone') return false;
  return step === 'done' || step === 'failed' || step === 'booting' || step === 'checking';
}

function ofDrained(on: On): Decision {
  const { record, rollout, context } = on;
  if (isEnding(rollout)) return putBack(on);
  if (rollout.state !== 'running') return undefined;
  const lack = context.lackOf(rollout.release, record.place.segment);
  if (lack === undefined) return { ...move(on, 'armed'), arm: intentOfRollout(rollout) };
  const waited = context.now.getTime() - Date.parse(record.since);
  if (waited < rollout.order.edgeWaitMinutes * 60_000) return undefined;
  return move(on, 'failed', { cause: 'edge_not_ready', detail: lack });
}

function putBack(on: On): Move {
  const to = on.rollout.order.hooks.after === undefined ? 'skipped' : 'returning';
  return move(on, to, { cause: 'rollout_stopped' });
}

function ofArmed(on: On): Decision {
  const seen = on.context.seen(on.record);
  if (seen.kind === 'superseded' || seen.kind === 'gone') return lost(on, seen.kind);
  if (seen.kind !== 'nothing') return move(on, 'booting');
  if (isEnding(on.rollout)) return disarm(on);
  return poweredOr(on, 'powering', 'booting');
}

/** An agent that was waiting on the machine has begun by itself before that: a power cycle would cut it off. */
function poweredOr(on: On, powering: RolloutStep, booting: RolloutStep): Move | undefined {
  const { record, rollout, context } = on;
  if (rollout.order.power === 'none') return move(on, booting);
  const armedMs = context.now.getTime() - Date.parse(record.since);
  return armedMs < context.settleMs || context.now < context.powerFrom ? undefined : move(on, powering);
}

/** The action may have been ordered by a controller that was killed, and have done its work. */
function ofPowering(on: On, booting: RolloutStep, failed: RolloutStep): Decision {
  const { record, context } = on;
  const seen = context.seen(record);
  if (context.busy.has(record.machine)) return undefined;
  if (seen.kind === 'superseded' || seen.kind === 'gone') return lost(on, seen.kind, failed);
  if (seen.kind !== 'nothing') return move(on, booting);
  if (context.now < context.powerFrom) return undefined;
  return errandOr(on, 'power', () => move(on, failed, { cause: 'power_failed', detail: LATE }));
}

/** Nothing has begun: what the machine has on its disk is what it had. */
function disarm(on: On): Move {
  const { before } = on.record;
  const arm: Intent = before?.kind === 'live' ? before : { kind: 'local' };
  const to = on.rollout.order.hooks.after === undefined ? 'undone' : 'undo_returning';
  return { ...move(on, to, { cause: 'rollout_stopped' }), arm };
}

function ofBooting(on: On): Decision {
  const { record, rollout, context } = on;
  const seen = context.seen(record);
  switch (seen.kind) {
    case 'superseded':
    case 'gone':
      return lost(on, seen.kind);
    case 'failed':
      return move(on, 'failed', { cause: 'work_failed', detail: seen.detail });
    case 'up':
      return move(on, afterBoot(rollout));
    case 'nothing':
      if (isEnding(rollout) && rollout.order.power === 'none') return disarm(on);
      return ofSilent(on, 'powering', 'failed');
    case 'begun':
      return isLate(on) ? move(on, 'failed', { cause: 'first_boot_late' }) : undefined;
  }
}

/** Of a machine of which no edge has heard since it was switched on. */
function ofSilent(on: On, again: RolloutStep, failed: RolloutStep): Decision {
  const { record, rollout, context } = on;
  if (rollout.order.power === 'none') return isLate(on) ? move(on, failed, { cause: 'no_sign' }) : undefined;
  const silentMs = context.now.getTime() - Date.parse(record.since);
  if (silentMs < rollout.order.gates.signMinutes * 60_000) return undefined;
  return (record.powerActions ?? 0) < POWER_ACTIONS_MOST
    ? move(on, again)
    : move(on, failed, { cause: 'no_sign' });
}

function afterBoot({ order }: Rollout): RolloutStep {
  return order.gates.health === undefined ? afterHealth(order) : 'checking';
}

function ofChecking(on: On): Decision {
  const seen = on.context.seen(on.record);
  if (seen.kind === 'superseded' || seen.kind === 'gone') return lost(on, seen.kind);
  if (seen.kind === 'failed') return move(on, 'failed', { cause: 'work_failed', detail: seen.detail });
  return errandOr(on, 'check', () => move(on, 'failed', { cause: 'unhealthy', detail: LATE }));
}

/** Until its wave is through, a machine that falls out again counts as failed. */
function ofDone(on: On): Decision {
  const { record, rollout, context } = on;
  const wave = rollout.waves[record.wave]?.state;
  if (wave !== 'running' && wave !== 'soaking') return undefined;
  const seen = context.seen(record);
  return seen.kind === 'failed'
    ? move(on, 'failed', { cause: 'work_failed', detail: seen.detail })
    : undefined;
}

function ofUndoArmed(on: On): Decision {
  const seen = on.context.seen(on.record);
  if (seen.kind === 'superseded' || seen.kind === 'gone') return lost(on, seen.kind, 'undo_failed');
  if (seen.kind !== 'nothing') return move(on, 'undo_booting');
  return poweredOr(on, 'undo_powering', 'undo_booting');
}

function ofUndoBooting(on: On): Decision {
  const { record, rollout, context } = on;
  const after = rollout.order.hooks.after === undefined ? 'undone' : 'undo_returning';
  // Of a machine that boots from its disk nobody hears.
  if (!isHeardOf(record.before)) return move(on, after);
  const seen = context.seen(record);
  switch (seen.kind) {
    case 'superseded':
    case 'gone':
      return lost(on, seen.kind, 'undo_failed');
    case 'failed':
      return move(on, 'undo_failed', { cause: 'work_failed', detail: seen.detail });
    case 'up':
      return move(on, after);
    case 'nothing':
      return ofSilent(on, 'undo_powering', 'undo_failed');
    case 'begun':
      return isLate(on) ? move(on, 'undo_failed', { cause: 'first_boot_late' }) : undefined;
  }
}

function isHeardOf(intent: Intent | undefined): boolean {
  return intent?.kind === 'live' || intent?.kind === 'install' || intent?.kind === 'installer';
}

function errandOr({ record, rollout, context }: On, errand: ErrandKind, late: () => Move): Decision {
  if (context.busy.has(record.machine)) return undefined;
  if (isLate({ record, context })) return late();
  return { kind: 'errand', rollout: rollout.order.name, machine: record.machine, errand };
}

function isLate({ record: { deadlineAt }, context: { now } }: Pick<On, 'record' | 'context'>): boolean {
  return deadlineAt !== undefined && Date.parse(deadlineAt) <= now.getTime();
}

function isEnding({ state }: Rollout): boolean {
  return state === 'stopping' || state === 'rolling_back';
}

function lost(on: On, kind: 'superseded' | 'gone', to: RolloutStep = 'failed'): Move {
  return move(on, to, { cause: kind === 'gone' ? 'machine_gone' : 'superseded' });
}
