import { type Machine, type Rollout, RolloutMachine, withLife } from '@bootswarm/controller/contract';
import { Problem } from '@bootswarm/images/format';
import type { CheckIntent } from '../catalogue/release-uses.ts';
import { give } from '../machines/life.ts';
import { MachineDraft } from '../machines/machine-draft.ts';
import type { CheckFit } from '../machines/machines.ts';
import { machineRecords } from '../machines/record-ring.ts';
import type { StateStore } from '../store/state-store.ts';
import { type Plan, type Reads, transact } from '../store/transact.ts';
import { isOver, readRollout } from './board.ts';
import { claimKey, recordKey, rolloutKey } from './keys.ts';
import { type Move, moved } from './planner/index.ts';

export interface CommitParts {
  readonly store: StateStore;
  readonly checkIntent: CheckIntent;
  readonly checkFit: CheckFit;
}

/** Why a decision was not committed: what it was made by has changed, so that the next tick decides anew. */
export const STALE = 'stale';
export type Stale = typeof STALE;

/** Moves of machines that set no intent, in one commit: all of them, or none where the rollout changed. */
export function commitMoves(
  { store }: CommitParts,
  { order, revision }: Rollout,
  moves: readonly Move[],
  now: Date,
): Promise<readonly RolloutMachine[] | Stale> {
  return transact(
    store,
    `rollout ${order.name}`,
    async (reads): Promise<Plan<readonly RolloutMachine[] | Stale>> => {
      const rollout = await readRollout(reads, order.name);
      if (rollout?.revision !== revision) return { result: STALE };
      const put: Record<string, unknown> = {};
      const result: RolloutMachine[] = [];
      for (const move of moves) {
        const record = await readRecord(reads, move);
        if (record?.step !== move.from) return { result: STALE };
        const after = moved(record, move, rollout, { now });
        put[recordKey(order.name, move.machine)] = after;
        result.push(after);
      }
      return { put, result };
    },
  );
}

/**
 * A move that sets an intent: both in one commit, so that a machine is armed once however often this is tried. What
 * cannot be armed has failed, and nothing of it was changed.
 */
export async function commitArmed(
  parts: CommitParts,
  { order, revision }: Rollout,
  move: Move,
  now: Date,
): Promise<RolloutMachine | Stale> {
  return transact(
    parts.store,
    `machine ${move.machine}`,
    async (reads): Promise<Plan<RolloutMachine | Stale>> => {
      const rollout = await readRollout(reads, order.name);
      const record = await readRecord(reads, move);
      if (rollout?.revision !== revision || record?.step !== move.from) return { result: STALE };
      const key = recordKey(order.name, move.machine);
      const failed = (
        cause: 'machine_gone' | 'superseded' | 'not_armable',
        detail?: string,
      ): Plan<RolloutMachine> => {
        const to = move.to === 'undo_armed' ? 'undo_failed' : 'failed';
        const { arm: _, ...rest } = move;
        const end = { ...rest, to, cause, ...(detail === undefined ? {} : { detail }) } as const;
        const after = moved(record, end, rollout, { now });
        return { put: { [key]: after }, result: after };
      };
      const draft = new MachineDraft(reads);
      const known = await draft.machine(move.machine);
      if (known === undefined) return failed('machine_gone');
      if (record.epoch !== undefined && known.epoch !== record.epoch) return failed('superseded');
      if (withLife(known).state === 'maintenance')
        return failed('not_armable', 'it was put into maintenance meanwhile');
      try {
        const { machine, beside } = await armed(parts, { reads, draft, known, move, now });
        const recordsBefore = await machineRecords.count(parts.store, known.id);
        const after = { ...moved(record, move, rollout, { now, epoch: machine.epoch }), recordsBefore };
        return { put: { ...draft.put, ...beside, [key]: after }, result: after };
      } catch (error) {
        if (error instanceof Problem) return failed('not_armable', `${error.message}; ${error.remedy}`);
        throw error;
      }
    },
  );
}

async function armed(
  { checkIntent, checkFit }: CommitParts,
  {
    reads,
    draft,
    known,
    move,
    now,
  }: {
    readonly reads: Reads;
    readonly draft: MachineDraft;
    readonly known: Machine;
    readonly move: Move;
    readonly now: Date;
  },
): Promise<{ readonly machine: Machine; readonly beside: Readonly<Record<string, unknown>> }> {
  if (move.arm === undefined) throw new TypeError('nothing is armed');
  const beside = await checkIntent(move.arm, reads);
  const back = move.to === 'armed' ? '' : ', which goes back';
  const machine = await give(draft, known, move.arm, {
    at: now,
    by: 'rollout',
    reason: `rollout ${move.rollout}${back}`,
  });
  await checkFit(machine, reads);
  await draft.keep(machine);
  return { machine, beside };
}

/** Another state of the rollout or of one of its waves. With its end its machines are free for others. */
export function commitTurn(
  { store }: Pick<CommitParts, 'store'>,
  revision: number,
  next: Rollout,
  machines: readonly RolloutMachine[],
): Promise<Rollout | Stale> {
  const { name } = next.order;
  return transact(store, `rollout ${name}`, async (reads): Promise<Plan<Rollout | Stale>> => {
    const held = await readRollout(reads, name);
    if (held?.revision !== revision) return { result: STALE };
    if (!isOver(next)) return { put: { [rolloutKey(name)]: next }, result: next };
    const after: Rollout = { ...next, ...took(machines) };
    const remove = machines.map(({ machine }) => claimKey(machine));
    return { put: { [rolloutKey(name)]: after }, remove, result: after };
  });
}

/** The machine in the middle of those that are done, in seconds from its turn to its end. */
function took(machines: readonly RolloutMachine[]): Pick<Rollout, 'tookSeconds'> {
  const seconds = machines
    .flatMap(({ step, begunAt, since }) =>
      step === 'done' && begunAt !== undefined ? [(Date.parse(since) - Date.parse(begunAt)) / 1000] : [],
    )
    .toSorted((a, b) => a - b);
  const middle = seconds[Math.floor(seconds.length / 2)];
  return middle === undefined ? {} : { tookSeconds: Math.round(middle) };
}

/** The machine of a move as the store has it. */
async function readRecord(
  reads: Pick<Reads, 'get'>,
  { rollout, machine }: Pick<Move, 'rollout' | 'machine'>,
): Promise<RolloutMachine | undefined> {
  const entry = await reads.get(recordKey(rollout, machine));
  return entry && RolloutMachine.parse(entry.value);
}
