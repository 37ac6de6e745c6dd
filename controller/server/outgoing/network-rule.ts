import { BlockList, isIP, isIPv4, isIPv6 } from 'node:net';

/**
 * Where the controller itself is, its links, what stands for services of a cloud, and what is no host's: each is open
 * only to a network that lies inside it, however wide the others are.
 */
const SPECIAL: readonly string[] = [
  ...['0.0.0.0/8', '127.0.0.0/8', '169.254.0.0/16', '224.0.0.0/4', '240.0.0.0/4', '255.255.255.255/32'],
  // Metadata of clouds: AWS and others, Alibaba, Oracle, Azure.
  ...['169.254.169.254/32', '100.100.100.200/32', '192.0.0.192/32', '168.63.129.16/32', 'fd00:ec2::/32'],
  // Unspecified, loopback and IPv4-compatible; link-local, site-local, multicast.
  ...['::/96', 'fe80::/10', 'fec0::/10', 'ff00::/8'],
  // IPv4 inside IPv6: NAT64 (RFC 6052, RFC 8215), 6to4, Teredo.
  ...['64:ff9b::/96', '64:ff9b:1::/48', '2002::/16', '2001::/32'],
];
const EVERYWHERE: readonly string[] = ['0.0.0.0/0', '::/0'];

interface Network {
  readonly family: 'ipv4' | 'ipv6';
  readonly first: string;
  readonly prefixLength: number;
  readonly addresses: BlockList;
}

/** Whether an address may be spoken to; what is no address may not. */
export type NetworkRule = (address: string) => boolean;

/**
 * Of webhooks, hooks and health URLs. @param allowed networks that are all that may be reached; none: every address but
 * the special ones. @throws RangeError as `onlyWithin`
 */
export function networkRule(allowed: readonly string[]): NetworkRule {
  return onlyWithin(allowed.length === 0 ? EVERYWHERE : allowed);
}

/** @throws RangeError where one of them is no network such as 10.9.0.0/16. */
export function onlyWithin(cidrs: readonly string[]): NetworkRule {
  const allowed = cidrs.map(networkOf);
  return (ip) => {
    if (isIP(ip) === 0) return false;
    const address = plainAddress(ip);
    const wards = WARDS.filter((ward) => holds(ward, address));
    return allowed.some((network) => holds(network, address) && wards.every((ward) => liesIn(network, ward)));
  };
}

/** One spelling of each address; IPv4 that is mapped into IPv6 (RFC 4291, 2.5.5.2) is IPv4. */
export function plainAddress(ip: string): string {
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

const WARDS: readonly Network[] = SPECIAL.map(networkOf);
