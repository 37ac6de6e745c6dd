import { z } from 'zod';
import { Name } from './names.ts';

const INSTALLS_MOST_PER_HOUR = 1000;

/**
 * What becomes of a machine that nobody knew, of a segment: nothing beyond the default intent, an inspection at its
 * first boot, or after that an installation: by what is assigned to it, and where nothing is by `installBy`.
 */
export const UnknownMachines = z.union(
  [
    z.enum(['ignore', 'inspect']),
    z.strictObject({
      /** Left out: what nothing is assigned to is not installed. */
      installBy: Name.optional(),
      /** At most so many in any hour: a mistake in a rack's cabling is not to install all of it. */
      perHour: z.int().min(1).max(INSTALLS_MOST_PER_HOUR),
    }),
  ],
  {
    error: `must be ignore, inspect, or {perHour: 1 to ${INSTALLS_MOST_PER_HOUR}, installBy: PROFILE}, of which installBy may be left out`,
  },
);
export type UnknownMachines = z.infer<typeof UnknownMachines>;

const HOUR_MS = 3600_000;

/** When the next machine may be installed, and the grants that are to be remembered: the last `perHour` of them. */
export interface Grant {
  readonly atMs: number;
  readonly grantsMs: readonly number[];
}

/**
 * Grants an installation as soon as there are not `perHour` in any hour, of which the last grants are known in the
 * order of time. Pure.
 */
export function grantInstall(grantsMs: readonly number[], perHour: number, nowMs: number): Grant {
  const hourBefore = grantsMs.at(-perHour);
  const earliest = hourBefore === undefined ? nowMs : hourBefore + HOUR_MS;
  // Grants stay in the order of time, also where the clock was set back.
  const atMs = Math.max(nowMs, earliest, grantsMs.at(-1) ?? nowMs);
  return { atMs, grantsMs: [...grantsMs, atMs].slice(-INSTALLS_MOST_PER_HOUR) };
}
