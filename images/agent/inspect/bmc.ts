import type { Inspection } from '@bootswarm/controller/contract';

const NO_ADDRESS = '0.0.0.0';
const MAC = /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/;

/** What `ipmitool lan print` says of the board's own card; undefined where that has no address of either kind. */
export function bmcFrom(printed: string): Inspection['bmc'] {
  const value = (name: string): string | undefined =>
    new RegExp(`^${name}\\s*: *(.*?)\\s*$`, 'm').exec(printed)?.[1];
  const [address, mac = '', source] = [
    value('IP Address'),
    value('MAC Address')?.toLowerCase(),
    value('IP Address Source'),
  ];
  const found = {
    ...(address === undefined || address === NO_ADDRESS || address === '' ? {} : { address }),
    ...(MAC.test(mac) ? { mac } : {}),
    ...(source === undefined ? {} : { isDhcp: /dhcp/i.test(source) }),
  };
  return 'address' in found || 'mac' in found ? found : undefined;
}
