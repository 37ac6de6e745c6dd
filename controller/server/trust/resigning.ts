import type { Logger } from 'pino';
import type { Trust } from './trust.ts';

/** Well below half of the time that a timestamp is good for, which is when it is signed anew. */
const LOOK_MS = 15 * 60 * 1000;

/** Signs snapshot and timestamp anew in time, as long as the controller runs. @returns what ends it. */
export function keepResigning(trust: Pick<Trust, 'resign'>, log: Logger, lookMs = LOOK_MS): () => void {
  const look = (): void => {
    trust.resign(new Date()).catch((error: unknown) => {
      log.error({ err: error }, 'the timestamp of the signed metadata could not be renewed');
    });
  };
  look();
  const timer = setInterval(look, lookMs);
  return () => clearInterval(timer);
}
