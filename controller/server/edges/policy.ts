import { isDeepStrictEqual } from 'node:util';
import { DhcpPolicy, policyProblem, type Segment } from '@bootswarm/controller/contract';
import type { StateStore } from '../store/state-store.ts';
import { type Reads, transact } from '../store/transact.ts';

const KEY = 'dhcp-policy';

/** What holds in every segment: one document, replaced as a whole. */
export class Policy {
  readonly #store: StateStore;

  constructor(store: StateStore) {
    this.#store = store;
  }

  async show(): Promise<DhcpPolicy> {
    return policyIn(this.#store);
  }

  /** The policy; the transaction of `reads` loses where it changes meanwhile. */
  async within(reads: Reads): Promise<DhcpPolicy> {
    return policyIn(reads);
  }

  /**
   * @param segmentsWithin all segments, as long as they do not change meanwhile.
   * @throws Problem segment_class_unknown, class_segment_unknown
   */
  replace(
    policy: DhcpPolicy,
    segmentsWithin: (reads: Reads) => Promise<readonly Segment[]>,
  ): Promise<DhcpPolicy> {
    return transact(this.#store, 'the DHCP policy', async (reads) => {
      if (isDeepStrictEqual(await this.within(reads), policy)) return { result: policy };
      const found = policyProblem(policy, await segmentsWithin(reads));
      if (found) throw found;
      return { put: { [KEY]: policy }, result: policy };
    });
  }
}

/** The policy as it stands; where none was set, nothing holds. */
export async function policyIn(reads: Pick<Reads, 'get'>): Promise<DhcpPolicy> {
  return DhcpPolicy.parse((await reads.get(KEY))?.value ?? {});
}
