import type { NetworkInterfaceInfo } from 'node:os';
import { ipv4ToNumber, numberToIpv4, parseSubnet } from '@bootswarm/controller/contract';

/**
 * The command that adds the segment of an interface: its subnet, and the upper half of it as the pool, where
 * few networks keep their fixed addresses.
 */
export function suggestSegment(
  interfaceName: string,
  addresses: readonly Pick<NetworkInterfaceInfo, 'family' | 'cidr' | 'address'>[] | undefined,
  edge: string,
): string {
  const own = addresses?.find((each) => each.family === 'IPv4' && each.cidr !== null);
  const subnet = parseSubnet(own?.cidr ?? '10.0.0.0/24');
  const size = subnet.broadcast - subnet.network + 1;
  const first = subnet.network + size / 2;
  const last = subnet.broadcast - 1;
  // The edge's own address is nobody's to have.
  const ownNumber = ipv4ToNumber(own?.address ?? '0.0.0.0');
  const pools =
    ownNumber < first || ownNumber > last
      ? [[first, last]]
      : [
          [first, ownNumber - 1],
          [ownNumber + 1, last],
        ];
  const pool = pools
    .filter(([from = 0, to = 0]) => from <= to)
    .map(([from = 0, to = 0]) => `${numberToIpv4(from)}-${numberToIpv4(to)}`)
    .join(' ');
  const cidr = `${numberToIpv4(subnet.network)}/${subnet.prefixLength}`;
  return `segment add ${interfaceName.replace(/[^a-z0-9-]/g, '-')} --subnet ${cidr} --pool ${pool} --edge ${edge}`;
}
