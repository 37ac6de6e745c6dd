import type { Rollout, RolloutMachine } from '@bootswarm/controller/contract';
import { isTakingOn, turnOf, type WaveCount } from './gates.ts';
import { Load } from './load.ts';
import { move } from './move.ts';
import { isUndoable, stepOf, undoOf } from './steps.ts';
import {
  type Action,
  intentOfRollout,
  isInFlight,
  type Move,
  type RolloutView,
  type SiteView,
} from './view.ts';

/**
 * What is to be done now, over all rollouts. Pure: the same site gives the same actions, so that a controller that was
 * killed between two of them goes on where it stood. Each move is to be committed before anything is done for it.
 *
 * Whatever frees a place in this tick frees it for the next one: so no limit is passed, in whatever order the moves are
 * committed, and if some are not.
 */
export function tick(site: SiteView): readonly Action[] {
  const load = new Load(site);
  return site.rollouts.flatMap((view) => ofRollout(view, site, load));
}

function ofRollout({ rollout, machines }: RolloutView, site: SiteView, load: Load): readonly Action[] {
  const actions: Action[] = [];
  const decided = new Map<string, Move>();
  const decide = (action: Action | undefined): void => {
    if (action === undefined) return;
    actions.push(action);
    if (action.kind === 'move') decided.set(action.machine, action);
  };
  for (const record of machines) if (!isUndoing(record, rollout)) decide(stepOf(record, rollout, site));
  if (rollout.state === 'rolling_back')
    for (const undo of undoing(machines, rollout, site, load)) decide(undo);
  const overdue = isTakingOn(rollout, site.now) ? takingOn(machines, rollout, site, load) : [];
  // A wave whose edges never came to have the release is a wave whose machines failed.
  for (const action of overdue) if (action.to === 'failed') decide(action);

  const after = machines.map((record) => {
    const to = decided.get(record.machine)?.to;
    return to === undefined ? record : { ...record, step: to };
  });
  const next = turnOf(rollout, countOf(rollout, after), after, site.now);
  if (next !== undefined) return [...actions, { kind: 'turn', rollout: rollout.order.name, next }];
  for (const action of overdue) if (action.to !== 'failed') decide(action);
  return actions;
}

/** Machines that go back where they stand, instead of what their step would be. */
function isUndoing(record: RolloutMachine, { state }: Rollout): boolean {
  return state === 'rolling_back' && isUndoable(record);
}

/** Who is in flight keeps its place; who rests takes one. */
function* undoing(
  machines: readonly RolloutMachine[],
  rollout: Rollout,
  site: SiteView,
  load: Load,
): Generator<Action> {
  const { name, limits } = rollout.order;
  for (const record of machines) {
    if (!isUndoable(record)) continue;
    const isResting = !isInFlight(record);
    if (isResting && !load.admits(name, limits, record.place)) continue;
    const undo = undoOf(record, rollout, site);
    if (undo === undefined) continue;
    if (isResting && undo.kind === 'move' && undo.to === 'undo_armed') load.add(name, limits, record.place);
    yield undo;
  }
}

/** Machines of the present wave that begin, as many as every limit admits; and those whose edges are overdue. */
function takingOn(
  machines: readonly RolloutMachine[],
  rollout: Rollout,
  site: SiteView,
  load: Load,
): readonly Move[] {
  const { order, wave, waves, release } = rollout;
  const since = Date.parse(waves[wave]?.since ?? rollout.since);
  const isOverdue = site.now.getTime() - since >= order.edgeWaitMinutes * 60_000;
  const moves: Move[] = [];
  // Thousands wait where a limit is reached, and it is the same for all of a place.
  const full = new Set<string>();
  for (const record of machines) {
    if (record.wave !== wave || record.step !== 'waiting') continue;
    if (!isOverdue && load.isFull(order.name, order.limits)) break;
    const { segment, rack, uplink } = record.place;
    const place = `${segment} ${rack} ${uplink}`;
    if (!isOverdue && full.has(place)) continue;
    const on = { record, rollout };
    const lack = site.lackOf(release, segment);
    if (lack !== undefined) {
      full.add(place);
      if (isOverdue) moves.push(move(on, 'failed', { cause: 'edge_not_ready', detail: lack }));
      continue;
    }
    if (!load.admits(order.name, order.limits, record.place)) {
      full.add(place);
      continue;
    }
    load.add(order.name, order.limits, record.place);
    moves.push(
      order.hooks.before === undefined
        ? move(on, 'armed', { arm: intentOfRollout(rollout) })
        : move(on, 'draining'),
    );
  }
  return moves;
}

function countOf({ wave }: Rollout, machines: readonly RolloutMachine[]): WaveCount {
  const count: WaveCount = { failed: 0, ended: 0 };
  for (const each of machines) {
    if (each.wave !== wave) continue;
    if (each.step === 'failed') count.failed += 1;
    if (each.step === 'done' || each.step === 'failed' || each.step === 'skipped') count.ended += 1;
  }
  return count;
}
