import {
  type DhcpPacket,
  decode,
  encode,
  messageType,
  requestOf,
  serverId,
  vendorClass,
} from '@bootswarm/edge-node/dhcp4';
import { ROGUE_PROBE_CLASS } from './answer.ts';

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

/** Offers without an address are those of a proxyDHCP server, which leases nothing. */
function isOfServer({ op, yiaddr, options }: DhcpPacket): boolean {
  if (op !== 'reply') return false;
  const type = messageType.read(options);
  return type === 'NAK' || ((type === 'OFFER' || type === 'ACK') && yiaddr !== '0.0.0.0');
}
