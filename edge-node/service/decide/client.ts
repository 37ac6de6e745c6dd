import { tellingUuid } from '@bootswarm/controller/contract';
import {
  clientArchitectures,
  type DhcpPacket,
  formatMac,
  type IpxeClient,
  ipxe,
  isBootp,
  machineId,
  OPTION,
  relayAgent,
  userClasses,
  vendorClass,
} from '@bootswarm/edge-node/dhcp4';

/** Who sent a packet, as far as the packet tells. */
export interface Client {
  readonly mac: string;
  readonly uuid: string | undefined;
  /** Option 61 as hexadecimal. */
  readonly clientId: string | undefined;
  readonly architectures: readonly number[];
  readonly userClasses: readonly string[];
  readonly vendorClass: string;
  /** Whether firmware speaks, rather than an installed system. */
  readonly isNetworkBoot: boolean;
  /** What iPXE or gPXE says of itself in option 175. */
  readonly ipxe: IpxeClient | undefined;
  /** giaddr. */
  readonly relay: string | undefined;
  /** Where the relay says that it is plugged in (RFC 3046). */
  readonly circuitId: Uint8Array | undefined;
  readonly remoteId: Uint8Array | undefined;
}

export function identifyClient(packet: DhcpPacket): Client {
  const { chaddr, giaddr, options } = packet;
  const vendor = vendorClass.read(options) ?? '';
  const identifier = options.get(OPTION.clientId);
  const agent = relayAgent.read(options);
  return {
    mac: formatMac(chaddr),
    uuid: tellingUuid(machineId.read(options)),
    clientId: identifier && Buffer.from(identifier).toString('hex'),
    architectures: clientArchitectures.read(options) ?? [],
    userClasses: userClasses.read(options) ?? [],
    vendorClass: vendor,
    isNetworkBoot: isBootClass(vendor) || isBootp(packet),
    ipxe: ipxe.read(options),
    relay: giaddr === '0.0.0.0' ? undefined : giaddr,
    circuitId: agent?.circuitId,
    remoteId: agent?.remoteId,
  };
}

/** What firmware said of itself in a DISCOVER. */
export interface Said {
  readonly mac: string;
  readonly xid: number;
  readonly vendorClass: string;
  readonly architectures: readonly number[];
}

/** What was said, by who said it and under which transaction. */
export interface Conversations {
  recall(mac: string, xid: number): Said | undefined;
}

/**
 * The client with what is known from before: a REQUEST that says less than the DISCOVER of the same xid did is from
 * the same firmware (quirk 20), and an installed system is of the machine whose firmware told its UUID.
 */
export function withWhatItSaid(
  client: Client,
  said: Said | undefined,
  held: { readonly uuid?: string } | undefined,
): Client {
  const uuid = client.uuid ?? held?.uuid;
  if (said === undefined || client.vendorClass !== '') return { ...client, uuid };
  const { vendorClass: vendor, architectures } = said;
  return { ...client, uuid, vendorClass: vendor, architectures, isNetworkBoot: isBootClass(vendor) };
}

function isBootClass(vendor: string): boolean {
  return vendor.startsWith('PXEClient') || vendor.startsWith('HTTPClient');
}
