const FIRST_MS = 1_000;
const MOST_MS = 60_000;

/**
 * How long to wait before the next try: 1 s, doubled up to a minute, and up to half of it taken off, so that a
 * thousand machines do not come back at the same moment.
 * @param failures in a row, 1 or more.
 * @param chance 0 up to 1, drawn anew each time.
 */
export function backoffMs(failures: number, chance: number): number {
  const whole = Math.min(MOST_MS, FIRST_MS * 2 ** Math.min(failures - 1, 16));
  return Math.round(whole * (1 - chance / 2));
}
