import type { Segment } from '@bootswarm/controller/contract';
import {
  type DhcpPacket,
  decode,
  encode,
  messageType,
  requestOf,
  serverId,
  vendorClass,
} from '@bootswarm/edge-node/dhcp4';

/** Vendor class of the DISCOVERs with which edges look for servers that should not be there: no edge answers. */
export const ROGUE_PROBE_CLASS = 'bootswarm-rogue-probe';

/** Locally administered: no card has it. */
const PROBE_MAC = Uint8Array.of(0x02, 0x62, 0x6f, 0x6f, 0x74, 0x73);

/** A DISCOVER that no edge answers: whoever does is another DHCP server. */
export function rogueProbe(xid: number): Uint8Array {
  const options = new Map([messageType.write('DISCOVER'), vendorClass.write(ROGUE_PROBE_CLASS)]);
  return encode(requestOf(PROBE_MAC, { xid, broadcast: true, options }));
}

/** The server that sent a datagram to a client, or undefined where no server's message is in it. */
export function serverIn(bytes: Uint8Array): string | undefined {
  const decoded = decode(bytes);
  return decoded.ok && isOfServer(decoded.packet) ? serverId.read(decoded.packet.options) : undefined;
}

/**
 * Those of `heard` that are not welcome on a segment. Where another server leases the addresses and none is named, the
 * only one that answers is that server; of two, nobody here knows which.
 */
export function strangersOf(
  { mode, otherServers }: Pick<Segment, 'mode' | 'otherServers'>,
  fellows: ReadonlySet<string>,
  heard: readonly string[],
): readonly string[] {
  const strangers = heard.filter((server) => !fellows.has(server) && !otherServers.includes(server));
  const isOnlyLessor = mode === 'proxy' && otherServers.length === 0 && strangers.length === 1;
  return isOnlyLessor ? [] : strangers;
}

/** Offers without an address are those of a proxyDHCP server, which leases nothing. */
function isOfServer({ op, yiaddr, options }: DhcpPacket): boolean {
  if (op !== 'reply') return false;
  const type = messageType.read(options);
  return type === 'NAK' || ((type === 'OFFER' || type === 'ACK') && yiaddr !== '0.0.0.0');
}
