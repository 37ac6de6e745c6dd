import { Problem } from '@bootswarm/images/format';
import { EdgeError } from './edge-client.ts';
import { problem } from './problems.ts';

/**
 * An error as the problem by which the failure of a machine is known: what the edge refuses under the edge's own code.
 * Pure.
 */
export function failureOf(error: Error): Problem {
  if (error instanceof Problem) return error;
  const facts = { reason: error.message };
  if (error instanceof EdgeError) {
    const { refusal, isRefusal } = error;
    if (refusal) return new Problem(refusal, 409);
    return problem(isRefusal ? 'edge_refused' : 'edge_silent', { facts, cause: error });
  }
  const { code } = error as NodeJS.ErrnoException;
  return problem(code === 'ENOSPC' ? 'no_room' : 'agent_failed', { facts, cause: error });
}
