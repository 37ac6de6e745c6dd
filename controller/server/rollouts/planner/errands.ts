import type { Rollout, RolloutCause, RolloutMachine, RolloutStep } from '@bootswarm/controller/contract';
import { move } from './move.ts';
import type { ErrandKind, Move } from './view.ts';

/** How an errand that a machine's step was waiting for ended. */
export type ErrandEnd = { readonly ok: true } | { readonly ok: false; readonly detail: string };

const STEP_OF_ERRAND: Readonly<Record<ErrandKind, readonly RolloutStep[]>> = {
  before: ['draining'],
  power: ['powering', 'undo_powering'],
  check: ['checking'],
  after: ['returning', 'undo_returning'],
};

/** What an errand's end makes of a machine; nothing where it has gone on to another step meanwhile. Pure. */
export function afterErrand(
  record: RolloutMachine,
  rollout: Rollout,
  errand: ErrandKind,
  end: ErrandEnd,
): Move | undefined {
  if (!STEP_OF_ERRAND[errand].includes(record.step)) return undefined;
  const on = { record, rollout };
  const isUndo = record.step.startsWith('undo_');
  if (!end.ok)
    return move(on, isUndo ? 'undo_failed' : 'failed', { cause: CAUSE_OF[errand], detail: end.detail });
  switch (errand) {
    case 'before':
      return move(on, 'drained');
    case 'power':
      return move(on, isUndo ? 'undo_booting' : 'booting');
    case 'check':
      return move(on, afterHealth(rollout.order));
    case 'after':
      if (isUndo) return move(on, 'undone', kept(record));
      return record.cause === undefined ? move(on, 'done') : move(on, 'skipped', kept(record));
  }
}

const CAUSE_OF = {
  before: 'hook_failed',
  power: 'power_failed',
  check: 'unhealthy',
  after: 'hook_failed',
} as const satisfies Readonly<Record<ErrandKind, RolloutCause>>;

function kept({ cause, detail }: RolloutMachine): Pick<Move, 'cause' | 'detail'> {
  return { ...(cause === undefined ? {} : { cause }), ...(detail === undefined ? {} : { detail }) };
}

/** Where a machine goes whose health needs no more proof. */
export function afterHealth({ hooks }: Rollout['order']): RolloutStep {
  return hooks.after === undefined ? 'done' : 'returning';
}
