import { readSubOptions, writeSubOptions } from '../tlv.ts';
import { OPTION } from './numbers.ts';
import { option } from './option.ts';

/** What an iPXE build can do: its DHCP_EB_FEATURE numbers (iPXE, include/ipxe/features.h). */
const FEATURES = {
  iscsi: 17,
  http: 19,
  https: 20,
  tftp: 21,
  dns: 23,
  bzimage: 24,
  pxe: 33,
  elf: 34,
  efi: 36,
  vlan: 38,
  menu: 39,
  nfs: 41,
} as const;
export type IpxeFeature = keyof typeof FEATURES;

export interface IpxeClient {
  readonly features: ReadonlySet<IpxeFeature>;
  /** `1.0.0`; the same for years of builds, so no feature follows from it. */
  readonly version: string | undefined;
}

export interface IpxeReply {
  /** Spares the client the wait for a proxyDHCP server, 2 s as measured. */
  readonly noPxeDhcp: boolean;
}

const SUB_OPTION = { noPxeDhcp: 176, version: 235 };

/** iPXE's own encapsulated options (https://ipxe.org/howto/dhcpd). Requests and replies carry different ones. */
export const ipxe = option<IpxeClient, IpxeReply>(
  OPTION.ipxe,
  (value) => {
    const subOptions = readSubOptions(value, 'padded');
    if (!subOptions) return undefined;
    const present = (Object.keys(FEATURES) as IpxeFeature[]).filter((name) => {
      const [enabled = 0] = subOptions.get(FEATURES[name]) ?? [];
      return enabled > 0;
    });
    return { features: new Set(present), version: subOptions.get(SUB_OPTION.version)?.join('.') };
  },
  ({ noPxeDhcp }) => writeSubOptions([[SUB_OPTION.noPxeDhcp, Uint8Array.of(noPxeDhcp ? 1 : 0)]], 'padded'),
);
