import type { Logger } from 'pino';

const UPKEEP_MS = 60_000;

/** Something that is kept within bounds. @returns how much went. */
export interface Trimmed {
  trim(now: Date): Promise<number>;
}

/** Keeps logs within their bounds, once a minute. @returns stops it, once what runs has ended. */
export function keepTrimmed(kept: readonly Trimmed[], log: Logger): () => Promise<void> {
  let running: Promise<void> = Promise.resolve();
  const trimAll = async (): Promise<void> => {
    for (const each of kept)
      await each.trim(new Date()).catch((error: unknown) => log.error({ err: error }, 'trimming failed'));
  };
  const timer = setInterval(() => {
    running = running.then(trimAll);
  }, UPKEEP_MS);
  return async () => {
    clearInterval(timer);
    await running;
  };
}
