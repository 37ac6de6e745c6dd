import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 30_000;

/**
 * Does `step` again and again until `signal` ends it. After an error it pauses, longer each time up to 30 s;
 * the first error of a series, every error unlike the one before, and the recovery are logged, so that an outage
 * is a few lines and not thousands.
 */
export async function forever(
  what: string,
  signal: AbortSignal,
  log: Logger,
  step: () => Promise<void>,
  pauseAfter: (failures: number) => number = pauseMs,
): Promise<void> {
  let failures = 0;
  let lastReason: string | undefined;
  while (!signal.aborted) {
    try {
      await step();
      if (failures > 0) log.info({ what, failures }, 'works again');
      failures = 0;
      lastReason = undefined;
    } catch (error) {
      if (signal.aborted) return;
      const reason = error instanceof Error ? error.message : String(error);
      if (reason !== lastReason) log.warn({ what, err: error }, 'failed; trying on');
      lastReason = reason;
      failures += 1;
      await pause(pauseAfter(failures), signal);
    }
  }
}

/** Resolves after `ms`, or at once when `signal` ends it. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => {});
}

/**
 * The random half keeps edges that lost one controller together from coming back together.
 * @param chance of [0, 1).
 */
export function pauseMs(failures: number, chance = Math.random()): number {
  const most = Math.min(FIRST_PAUSE_MS * 2 ** (failures - 1), LONGEST_PAUSE_MS);
  return most * (0.5 + chance / 2);
}
