import { type Segment, tellingUuid } from '@bootswarm/controller/contract';
import {
  clientArchitectures,
  type DhcpPacket,
  formatMac,
  type IpxeClient,
  ipxe,
  machineId,
  relayAgent,
  subnetSelection,
  userClasses,
  vendorClass,
} from '@bootswarm/edge-node/dhcp4';
import { inSubnet } from './allocate.ts';

/** Who sent a packet, as far as the packet tells. */
export interface Client {
  readonly mac: string;
  readonly uuid: string | undefined;
  readonly architectures: readonly number[];
  readonly userClasses: readonly string[];
  readonly vendorClass: string;
  /** What iPXE or gPXE says of itself in option 175. */
  readonly ipxe: IpxeClient | undefined;
}

export function identifyClient({ chaddr, options }: DhcpPacket): Client {
  return {
    mac: formatMac(chaddr),
    uuid: tellingUuid(machineId.read(options)),
    architectures: clientArchitectures.read(options) ?? [],
    userClasses: userClasses.read(options) ?? [],
    vendorClass: vendorClass.read(options) ?? '',
    ipxe: ipxe.read(options),
  };
}

/**
 * The segment that a packet comes from: by link-selection (RFC 3527), subnet-selection (RFC 3011), giaddr,
 * then, of what came without a relay, by the address that the client has (a renewal goes past the relay) and
 * by the address of the interface that heard it.
 */
export function identifySegment(
  packet: DhcpPacket,
  segments: readonly Segment[],
  interfaceAddress: string,
): Segment | undefined {
  const selected = relayAgent.read(packet.options)?.linkSelection ?? subnetSelection.read(packet.options);
  const told = [selected, packet.giaddr, packet.ciaddr].find(
    (address) => address !== undefined && address !== '0.0.0.0',
  );
  return segmentOf(told ?? interfaceAddress, segments);
}

/** The segment that an address belongs to: of a machine in it, or of one of its relays. */
export function segmentOf(address: string, segments: readonly Segment[]): Segment | undefined {
  // A relay may sign with an address out of another segment's subnet, such as that of the routers themselves.
  const relayed = segments.find((segment) => segment.relays.includes(address));
  return relayed ?? segments.find((segment) => inSubnet(segment, address));
}
