import { Problem } from '@bootswarm/images/format';
import { backoffMs } from './backoff.ts';
import { problem } from './problems.ts';

/** With the pauses between them some half a minute. */
const TRIES_MOST = 6;

export interface PatienceParts {
  /** Resolves early where the signal ends it. */
  readonly wait: (ms: number) => Promise<void>;
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
}

/**
 * Tries again what a network may have broken off. A Problem is what somebody decided: it would be the same once more.
 * @throws it, Problem edge_silent with the last error, or the signal's reason.
 */
export async function patiently<Result>(
  what: string,
  act: () => Promise<Result>,
  { wait, say, signal }: PatienceParts,
): Promise<Result> {
  for (let failures = 1; ; failures++) {
    try {
      return await act();
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof Problem) throw error;
      const reason = `${what}: ${(error as Error).message}`;
      if (failures === TRIES_MOST) throw problem('edge_silent', { facts: { reason }, cause: error });
      say(`${what} failed: ${(error as Error).message}. Trying again`);
      await wait(backoffMs(failures, Math.random()));
    }
  }
}
