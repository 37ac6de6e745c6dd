import type { DhcpPacket } from '@bootswarm/edge-node/dhcp4';
import { relayIn } from './identify.ts';
import type { Destination, Situation } from './situation.ts';

/**
 * RFC 2131, section 4.1. A relay is answered at giaddr whatever its source address was (quirk 17). A client
 * that has no address yet is reached by broadcast, which every client takes (edge-node/decisions/0001).
 */
export function destinationOf({ packet, from }: Pick<Situation, 'packet' | 'from'>): Destination {
  const { giaddr, ciaddr } = packet;
  if (giaddr !== '0.0.0.0') return { address: giaddr, port: relayPortOf(packet, from.port) };
  if (ciaddr !== '0.0.0.0') return { address: ciaddr, port: 68 };
  return { address: 'broadcast', port: 68 };
}

/** Never to ciaddr: the client must not use it (RFC 2131, section 4.3.2). */
export function nakDestinationOf({ packet, from }: Pick<Situation, 'packet' | 'from'>): Destination {
  const { giaddr } = packet;
  if (giaddr === '0.0.0.0') return { address: 'broadcast', port: 68 };
  return { address: giaddr, port: relayPortOf(packet, from.port) };
}

/** A relay that says so is answered at the port that it sent from (RFC 8357, section 5.4). */
function relayPortOf(packet: DhcpPacket, fromPort: number): number {
  return relayIn(packet)?.relaySourcePort ? fromPort : 67;
}
