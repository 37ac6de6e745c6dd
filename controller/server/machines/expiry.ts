import type { Logger } from 'pino';
import type { Reservations } from './reservations.ts';

const LOOK_MS = 15_000;

/** Ends reservations whose time is over, as long as the controller runs. @returns what stops it. */
export function keepExpiring(
  reservations: Pick<Reservations, 'expire'>,
  log: Logger,
  lookMs = LOOK_MS,
): () => void {
  const look = async (): Promise<void> => {
    try {
      const ended = await reservations.expire(new Date());
      if (ended.length > 0) log.info({ reservations: ended }, 'the time of reservations was over');
    } catch (error) {
      log.error({ err: error }, 'reservations whose time is over could not be ended');
    }
  };
  void look();
  const timer = setInterval(() => void look(), lookMs);
  return () => clearInterval(timer);
}
