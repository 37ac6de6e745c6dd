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
  type RelayAgent,
  relayAgent,
  subnetSelection,
  userClasses,
  vendorClass,
} from '@bootswarm/edge-node/dhcp4';
import type { ServedSegment, Site } from './site.ts';

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

/**
 * The segment that a packet comes from: by link-selection (RFC 3527), which only a relay may say,
 * subnet-selection (RFC 3011), giaddr, then, of what came without a relay, by the address that the client has (a
 * renewal goes past the relay) and by the address of the interface that heard it.
 */
export function identifySegment(
  packet: DhcpPacket,
  site: Site,
  interfaceAddress: string,
): ServedSegment | undefined {
  const selected = relayIn(packet)?.linkSelection ?? subnetSelection.read(packet.options);
  const told = [selected, packet.giaddr, packet.ciaddr].find(
    (address) => address !== undefined && address !== '0.0.0.0',
  );
  return site.segmentOf(told ?? interfaceAddress);
}

/**
 * What a relay says of itself; undefined where none is in between. A switch may add where the client is plugged in
 * without being a relay, and then a client may have written it as well: that must not choose segment or server.
 */
export function relayIn({ giaddr, options }: DhcpPacket): RelayAgent | undefined {
  return giaddr === '0.0.0.0' ? undefined : relayAgent.read(options);
}

function isBootClass(vendor: string): boolean {
  return vendor.startsWith('PXEClient') || vendor.startsWith('HTTPClient');
}
