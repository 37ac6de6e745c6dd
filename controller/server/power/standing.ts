import {
  type EdgeRecord,
  isOfBoot,
  isPowerBusy,
  POWER_STEPS,
  POWER_TRANSITIONS,
  type PowerOrder,
  type PowerSeen,
  type PowerStanding,
  type PowerStep,
  problem,
} from '@bootswarm/controller/contract';
import type { Problem } from '@bootswarm/images/format';

/** How long an action may take: until its turn comes, with its BMC, and until an edge sees the machine boot. */
export const DEADLINES_MS = { waiting: 3_600_000, running: 600_000, booting: 900_000 } as const;

/** Between an edge and the controller: twice what the edge's doctor lets pass. */
const CLOCKS_APART_MS = 60_000;

export interface Moment {
  readonly now: Date;
  readonly deadlinesMs: Readonly<Record<keyof typeof DEADLINES_MS, number>>;
}

/** @throws Problem power_busy where the action before is not over. */
export function ordered(
  machine: string,
  before: PowerStanding | undefined,
  order: PowerOrder,
  moment: Moment,
): PowerStanding {
  if (before && isPowerBusy(before))
    throw problem('power_busy', { facts: { machine, action: before.action } });
  const { now } = moment;
  return {
    ...order,
    number: (before?.number ?? 0) + 1,
    changes: (before?.changes ?? 0) + 1,
    state: 'waiting',
    step: 0,
    askedAt: now.toISOString(),
    changedAt: now.toISOString(),
    deadlineAt: deadlineAt('waiting', moment),
  };
}

export function begun(standing: PowerStanding, moment: Moment): PowerStanding {
  // Who goes on with what another controller began has the time that is left.
  if (standing.state === 'running') return standing;
  return moved(standing, { state: 'running', deadlineAt: deadlineAt('running', moment) }, moment);
}

export function stepOf({ action, step }: PowerStanding): PowerStep | undefined {
  return POWER_STEPS[action][step];
}

/** After its step: at the next one, or over. @param recordsBefore how many records there are of the machine by now. */
export function stepped(
  standing: PowerStanding,
  seen: PowerSeen | undefined,
  recordsBefore: number,
  moment: Moment,
): PowerStanding {
  const known = { step: standing.step + 1, ...(seen === undefined ? {} : { seen }) };
  const next = stepOf({ ...standing, step: standing.step + 1 });
  if (next === undefined) return moved(standing, { ...known, state: 'done' }, moment);
  if (next === 'boot')
    return moved(standing, { ...known, state: 'booting', deadlineAt: deadlineAt('booting', moment) }, moment);
  // Counted before the machine is turned on: what comes after that is of its new start.
  if (next !== 'on') return moved(standing, known, moment);
  return moved(standing, { ...known, recordsBefore, turnedOnAt: moment.now.toISOString() }, moment);
}

/**
 * Whether a record that came after the machine was turned on is of that start: an edge that was cut off tells of the
 * boot before only now.
 */
export function isOfThisStart(standing: PowerStanding, record: EdgeRecord): boolean {
  const from = Date.parse(standing.turnedOnAt ?? standing.askedAt) - CLOCKS_APART_MS;
  return isOfBoot(record) && Date.parse(record.at) >= from;
}

export function booted(standing: PowerStanding, moment: Moment): PowerStanding {
  return moved(standing, { state: 'done' }, moment);
}

export function failed(standing: PowerStanding, error: Problem, moment: Moment): PowerStanding {
  const { code, message, remedy } = error;
  return moved(standing, { state: 'failed', cause: { code, message, remedy } }, moment);
}

/** @throws TypeError where the table of the contract does not allow it: a defect. */
function moved(standing: PowerStanding, change: Partial<PowerStanding>, { now }: Moment): PowerStanding {
  const state = change.state ?? standing.state;
  if (!POWER_TRANSITIONS[standing.state].includes(state))
    throw new TypeError(`power cannot go from ${standing.state} to ${state}`);
  return { ...standing, ...change, changes: standing.changes + 1, changedAt: now.toISOString() };
}

function deadlineAt(state: keyof typeof DEADLINES_MS, { now, deadlinesMs }: Moment): string {
  return new Date(now.getTime() + deadlinesMs[state]).toISOString();
}
