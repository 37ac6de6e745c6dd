import {
  ROLLOUT_STEPS,
  type Rollout,
  type RolloutMachine,
  type RolloutStep,
} from '@bootswarm/controller/contract';
import { stepSeconds } from './deadlines.ts';
import type { Move } from './view.ts';

/** Makes a move of a machine; who makes it answers for the table, which the desk holds against it once more. */
export function move(
  { record, rollout }: { readonly record: RolloutMachine; readonly rollout: Rollout },
  to: RolloutStep,
  beside: Pick<Move, 'arm' | 'cause' | 'detail'> = {},
): Move {
  return {
    kind: 'move',
    rollout: rollout.order.name,
    machine: record.machine,
    from: record.step,
    to,
    ...beside,
  };
}

/**
 * A machine after a move. Pure.
 * @param epoch of the intent that was set with it, where the move arms one.
 * @throws TypeError where the table does not allow the move: a defect of whoever made it.
 */
export function moved(
  record: RolloutMachine,
  { from, to, arm, cause, detail }: Move,
  { order }: Rollout,
  { now, epoch }: { readonly now: Date; readonly epoch?: number | undefined },
): RolloutMachine {
  const allowed: readonly string[] = ROLLOUT_STEPS[record.step].to;
  if (record.step !== from || !allowed.includes(to))
    throw new TypeError(`machine ${record.machine} cannot go from ${record.step} to ${to}`);
  if (arm !== undefined && epoch === undefined) throw new TypeError('what is armed has an epoch');
  const { cause: _cause, detail: _detail, deadlineAt: _deadlineAt, ...rest } = record;
  const seconds = stepSeconds(to, order);
  const isPower = to === 'powering' || to === 'undo_powering';
  return {
    ...rest,
    step: to,
    since: now.toISOString(),
    ...(seconds === undefined ? {} : { deadlineAt: new Date(now.getTime() + seconds * 1000).toISOString() }),
    ...(record.step === 'waiting' ? { begunAt: now.toISOString() } : {}),
    ...(epoch === undefined ? {} : { epoch, powerActions: 0 }),
    ...(isPower ? { powerActions: (record.powerActions ?? 0) + 1 } : {}),
    ...(cause === undefined ? {} : { cause }),
    ...(detail === undefined ? {} : { detail: detail.slice(0, 500) }),
  };
}
