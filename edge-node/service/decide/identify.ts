import { type DhcpPacket, type RelayAgent, relayAgent, subnetSelection } from '@bootswarm/edge-node/dhcp4';
import type { ServedSegment, Site } from './site.ts';

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
