import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { problem } from '@bootswarm/controller/contract';
import { type NetworkRule, onlyWithin, plainAddress } from '../outgoing/network-rule.ts';

/** RFC 1918 and RFC 4193. */
const PRIVATE_NETWORKS: readonly string[] = ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', 'fc00::/7'];

/** What a name stands for, as `dns.lookup` gives it. */
export type Resolve = (name: string) => Promise<readonly { readonly address: string }[]>;

const bySystem: Resolve = (name) => lookup(name, { all: true });

/** Where BMCs are, and nothing else is spoken to. */
export class BmcNetworks {
  /** @param ip an address and no name. */
  readonly allows: NetworkRule;
  readonly #resolve: Resolve;

  /** @throws RangeError where one of them is no network such as 10.9.0.0/16. */
  constructor(cidrs: readonly string[] = PRIVATE_NETWORKS, resolve = bySystem) {
    this.allows = onlyWithin(cidrs);
    this.#resolve = resolve;
  }

  /**
   * The address to connect to, and to no other: whoever answers for a name may answer otherwise the next time.
   * @param address an address or a host name; all that a name stands for must be allowed.
   * @throws Problem bmc_address_forbidden, bmc_address_unknown
   */
  async pin(address: string): Promise<string> {
    const found = await this.#addressesOf(address);
    const [first] = found;
    if (first === undefined)
      throw problem('bmc_address_unknown', { field: 'address', facts: { address, reason: 'no address' } });
    if (found.every((each) => this.allows(each))) return first;
    throw problem('bmc_address_forbidden', { field: 'address', facts: { address } });
  }

  async #addressesOf(address: string): Promise<readonly string[]> {
    if (isIP(address) > 0) return [plainAddress(address)];
    try {
      return (await this.#resolve(address)).map((each) => plainAddress(each.address));
    } catch (error) {
      const reason = (error as NodeJS.ErrnoException).code ?? 'failed';
      throw problem('bmc_address_unknown', { field: 'address', facts: { address, reason }, cause: error });
    }
  }
}
