import type { Client, Endpoint, Request, Result } from '@bootswarm/controller/contract';
import { Problem } from '@bootswarm/images/format';

/** What stands there now, and the headers of a change that is to be made only while it does. */
export interface Seen<T> {
  /** undefined where there is none. */
  readonly held: T | undefined;
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * Looks at a thing before it is changed, so that of two operators at once one is told `changed_meanwhile` and neither
 * overwrites what it has not seen.
 */
export async function look<E extends Endpoint>(
  client: Client,
  endpoint: E,
  request: Request<E>,
  signal: AbortSignal,
): Promise<Seen<Result<E>>> {
  try {
    const { result, tag } = await client.callTagged(endpoint, request, { signal });
    return { held: result, headers: tag === undefined ? {} : { 'if-match': tag } };
  } catch (error) {
    if (!(error instanceof Problem) || error.code !== 'not_found') throw error;
    return { held: undefined, headers: { 'if-none-match': '*' } };
  }
}
