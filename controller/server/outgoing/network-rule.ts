import { BlockList, isIP } from 'node:net';

/**
 * Where nothing is ever sent unless an operator names the network: the controller itself, its link, addresses that
 * stand for services of a cloud (169.254.169.254, fd00:ec2::254), and those that are no host's.
 */
const REFUSED: readonly (readonly [string, number])[] = [
  ['0.0.0.0', 8],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['100.100.100.200', 32],
  ['224.0.0.0', 3],
  ['::', 127],
  ['fe80::', 10],
  ['fd00:ec2::', 32],
  ['64:ff9b::', 96],
  ['2002::', 16],
  ['ff00::', 8],
];

/** Whether an address may be sent to. */
export type NetworkRule = (address: string) => boolean;

/** @param allowed CIDRs that are all that may be reached; none: everything but what is refused above. */
export function networkRule(allowed: readonly string[]): NetworkRule {
  const list = new BlockList();
  const named = allowed.length > 0;
  for (const cidr of allowed) list.addSubnet(...subnetOf(cidr));
  if (!named)
    for (const [net, prefix] of REFUSED) list.addSubnet(net, prefix, net.includes(':') ? 'ipv6' : 'ipv4');
  return (address) => {
    const plain = address.replace(/^::ffff:(?=\d+\.)/i, '');
    const family = isIP(plain);
    if (family === 0) return false;
    // BlockList sees an IPv4 address in its mapped form, however that is written, by the rules for IPv4.
    return list.check(plain, family === 6 ? 'ipv6' : 'ipv4') === named;
  };
}

/** @throws TypeError where it is none. */
function subnetOf(cidr: string): [string, number, 'ipv4' | 'ipv6'] {
  const [net = '', prefix = ''] = cidr.split('/');
  const family = isIP(net);
  const length = /^\d{1,3}$/.test(prefix) ? Number(prefix) : Number.NaN;
  if (family === 0 || !(length <= (family === 4 ? 32 : 128)))
    throw new TypeError(`${cidr} is no network such as 10.0.0.0/8`);
  return [net, length, family === 4 ? 'ipv4' : 'ipv6'];
}
