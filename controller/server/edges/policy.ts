import { DhcpPolicy } from '@bootswarm/controller/contract';
import type { StateStore } from '../store/state-store.ts';
import { transact } from '../store/transact.ts';

const KEY = 'dhcp-policy';

/** What holds in every segment: one document, replaced as a whole. */
export class Policy {
  readonly #store: StateStore;

  constructor(store: StateStore) {
    this.#store = store;
  }

  async show(): Promise<DhcpPolicy> {
    const entry = await this.#store.get(KEY);
    return DhcpPolicy.parse(entry?.value ?? {});
  }

  replace(policy: DhcpPolicy): Promise<DhcpPolicy> {
    return transact(this.#store, 'the DHCP policy', async (reads) => {
      await reads.get(KEY);
      return { put: { [KEY]: policy }, result: policy };
    });
  }
}
