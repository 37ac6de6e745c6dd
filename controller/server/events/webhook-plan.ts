/** How long is waited after a failure, by how many there were in a row; the last holds from then on. */
const WAITS_MS = [5_000, 30_000, 120_000, 600_000, 1_800_000, 3_600_000] as const;
/** What was not taken for so long is given up. */
export const GIVE_UP_MS = 24 * 3600 * 1000;

/** A webhook that does not take what it is sent. */
export interface Failing {
  readonly since: string;
  readonly attempts: number;
  readonly reason: string;
  readonly nextAt: string;
}

/**
 * What a failure leads to: pure. The wait is between half of the plan's and all of it, so that many that failed at once
 * do not come back at once. @param chance from 0 to 1.
 */
export function afterFailure(held: Failing | undefined, reason: string, now: Date, chance: number): Failing {
  const attempts = (held?.attempts ?? 0) + 1;
  const wait = WAITS_MS[Math.min(attempts, WAITS_MS.length) - 1] ?? 0;
  return {
    since: held?.since ?? now.toISOString(),
    attempts,
    reason,
    nextAt: new Date(now.getTime() + wait * (0.5 + chance / 2)).toISOString(),
  };
}

/** Whether an event that failed is given up: it has been tried for a day, or others in its way were. */
export function isGivenUp(at: string, failing: Failing, now: Date): boolean {
  const day = now.getTime() - GIVE_UP_MS;
  return Date.parse(failing.since) <= day && Date.parse(at) <= day;
}
