import type { ReadAttribute } from './block-devices.ts';

export interface NetworkCard {
  /** Kernel name; it may differ at the next boot. */
  readonly name: string;
  readonly mac: string;
  readonly driver?: string;
  /** `0000:03:00.0` */
  readonly pciAddress?: string;
  /** Of the link as it is now. */
  readonly speedMbitPerS?: number;
  readonly hasLink: boolean;
  /** `8086:1572` */
  readonly pciId?: string;
}

const ETHERNET = '1';
const MAC = /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/;

/**
 * An Ethernet card from what /sys/class/net/NAME says; undefined for bridges, bonds, tunnels and the like.
 * @param links the last parts of the symbolic links `device` (PCI address), and `device/driver`.
 */
export function networkCardFrom(
  name: string,
  read: ReadAttribute,
  links: { readonly device?: string | undefined; readonly driver?: string | undefined },
): NetworkCard | undefined {
  const mac = read('address')?.toLowerCase();
  if (read('type') !== ETHERNET || links.device === undefined || mac === undefined || !MAC.test(mac))
    return undefined;
  const speed = Number(read('speed') ?? -1);
  const [vendor, device] = [read('device/vendor'), read('device/device')].map((id) => id?.replace(/^0x/, ''));
  const isPci = /^[0-9a-f]{4,}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]$/.test(links.device);
  return {
    name,
    mac,
    hasLink: read('carrier') === '1',
    ...(links.driver === undefined ? {} : { driver: links.driver }),
    ...(isPci ? { pciAddress: links.device } : {}),
    ...(speed > 0 ? { speedMbitPerS: speed } : {}),
    ...(vendor && device ? { pciId: `${vendor}:${device}` } : {}),
  };
}
