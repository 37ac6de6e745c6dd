import type { ControllerClient } from '@bootswarm/controller/client';
import { type Machine, PAGE_MOST } from '@bootswarm/controller/contract';
import { problem } from './problems.ts';

export interface ListOptions {
  readonly match?: string;
  readonly limit?: string;
}

/** All machines that are meant, page by page. @throws Problem argument_invalid */
export function listMachines(
  client: ControllerClient,
  { match, limit: most }: ListOptions,
  signal: AbortSignal,
): Promise<Machine[]> {
  const wanted = most === undefined ? Number.POSITIVE_INFINITY : Math.floor(Number(most));
  if (!(wanted >= 1))
    throw problem('argument_invalid', {
      field: 'limit',
      facts: { text: most ?? '', reason: 'is no number of machines' },
    });
  const query = { limit: Math.min(PAGE_MOST, wanted), ...(match === undefined ? {} : { match }) };
  return client.machines.list(query, { signal }).all(wanted);
}
