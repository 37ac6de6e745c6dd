import { type Client, endpoints, MACHINES_PAGE_MOST, type Machine } from '@bootswarm/controller/contract';
import { problem } from './problems.ts';

export interface ListOptions {
  readonly match?: string;
  readonly limit?: string;
}

/** All machines that are meant, page by page. @throws Problem argument_invalid */
export async function listMachines(
  client: Client,
  { match, limit: most }: ListOptions,
  signal: AbortSignal,
): Promise<Machine[]> {
  const wanted = most === undefined ? Number.POSITIVE_INFINITY : Number(most);
  if (!(wanted >= 1))
    throw problem('argument_invalid', {
      field: 'limit',
      facts: { text: most ?? '', reason: 'is no number of machines' },
    });
  const found: Machine[] = [];
  for (;;) {
    const limit = Math.min(MACHINES_PAGE_MOST, Math.floor(wanted) - found.length);
    const cursor = found.at(-1)?.id;
    const query = {
      limit,
      ...(match === undefined ? {} : { match }),
      ...(cursor === undefined ? {} : { cursor }),
    };
    const page = await client.call(endpoints.listMachines, { query }, { signal });
    found.push(...page);
    if (page.length < limit || found.length >= wanted) return found;
  }
}
