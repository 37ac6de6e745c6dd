import { lookup } from 'node:dns/promises';
import { BlockList, isIPv4, isIPv6 } from 'node:net';
import { problem } from '@bootswarm/controller/contract';

/** RFC 1918 and RFC 4193. */
const PRIVATE_NETWORKS: readonly string[] = ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', 'fc00::/7'];

/**
 * Where no BMC is, or where something else may be that must not hear us: each is open only to a network that lies
 * inside it, however wide the others are.
 */
const SPECIAL: readonly string[] = [
  ...['0.0.0.0/8', '127.0.0.0/8', '169.254.0.0/16', '224.0.0.0/4', '240.0.0.0/4', '255.255.255.255/32'],
  // Metadata of clouds: AWS and others, Alibaba, Oracle, Azure.
  ...['169.254.169.254/32', '100.100.100.200/32', '192.0.0.192/32', '168.63.129.16/32', 'fd00:ec2::254/128'],
  // Unspecified, loopback and IPv4-compatible; link-local, site-local, multicast.
  ...['::/96', 'fe80::/10', 'fec0::/10', 'ff00::/8'],
  // IPv4 inside IPv6: NAT64 (RFC 6052, RFC 8215), 6to4, Teredo.
  ...['64:ff9b::/96', '64:ff9b:1::/48', '2002::/16', '2001::/32'],
];

interface Network {
  readonly family: 'ipv4' | 'ipv6';
  readonly first: string;
  readonly prefixLength: number;
  readonly addresses: BlockList;
}

/** What a name stands for, as `dns.lookup` gives it. */
export type Resolve = (name: string) => Promise<readonly { readonly address: string }[]>;

const bySystem: Resolve = (name) => lookup(name, { all: true });

/** Where BMCs are, and nothing else is spoken to. */
export class BmcNetworks {
  readonly #allowed: readonly Network[];
  readonly #resolve: Resolve;

  /** @throws RangeError where one of them is no network such as 10.9.0.0/16. */
  constructor(cidrs: readonly string[] = PRIVATE_NETWORKS, resolve = bySystem) {
    this.#allowed = cidrs.map(networkOf);
    this.#resolve = resolve;
  }

  /** @param ip an address and no name. */
  allows(ip: string): boolean {
    const address = plainAddress(ip);
    const wards = SPECIAL_NETWORKS.filter((special) => holds(special, address));
    return this.#allowed.some(
      (network) => holds(network, address) && wards.every((ward) => liesIn(network, ward)),
    );
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
    if (isIPv4(address) || isIPv6(address)) return [plainAddress(address)];
    try {
      return (await this.#resolve(address)).map((each) => plainAddress(each.address));
    } catch (error) {
      const reason = (error as NodeJS.ErrnoException).code ?? 'failed';
      throw problem('bmc_address_unknown', { field: 'address', facts: { address, reason }, cause: error });
    }
  }
}

/** One spelling of each address; IPv4 that is mapped into IPv6 (RFC 4291, 2.5.5.2) is IPv4. */
function plainAddress(ip: string): string {
  if (!isIPv6(ip)) return ip;
  // Without its zone, by the URL parser: lower case, no leading zeros, the longest run of zeros as ::.
  const text = new URL(`http://[${ip.split('%')[0]}]`).hostname.slice(1, -1);
  const [, high, low] = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(text) ?? [];
  if (high === undefined || low === undefined) return text;
  return [high, low]
    .map((part) => Number.parseInt(part, 16))
    .flatMap((part) => [part >>> 8, part & 255])
    .join('.');
}

function holds(network: Network, address: string): boolean {
  const family = isIPv6(address) ? 'ipv6' : 'ipv4';
  return network.family === family && network.addresses.check(address, family);
}

function liesIn(network: Network, ward: Network): boolean {
  return network.prefixLength >= ward.prefixLength && holds(ward, network.first);
}

/** @throws RangeError */
function networkOf(cidr: string): Network {
  const [, text = '', prefix = ''] = /^([^/%]+)\/(\d{1,3})$/.exec(cidr) ?? [];
  const family = isIPv4(text) ? 'ipv4' : 'ipv6';
  const prefixLength = Number(prefix);
  const isNetwork = (isIPv4(text) || isIPv6(text)) && prefixLength <= (family === 'ipv4' ? 32 : 128);
  // A mapped network would never hold anything: its addresses are IPv4 here.
  if (!isNetwork || plainAddress(text).includes(':') !== (family === 'ipv6'))
    throw new RangeError(`'${cidr}' is no network such as 10.9.0.0/16 or fd00:9::/64`);
  const addresses = new BlockList();
  addresses.addSubnet(text, prefixLength, family);
  return { family, first: text, prefixLength, addresses };
}

const SPECIAL_NETWORKS: readonly Network[] = SPECIAL.map(networkOf);
