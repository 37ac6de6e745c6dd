import type { DhcpPacket } from './packet.ts';

/**
 * A client's message on Ethernet with everything left blank but what is given.
 * @param chaddr six bytes.
 */
export function requestOf(chaddr: Uint8Array, facts: Partial<DhcpPacket>): DhcpPacket {
  const none = '0.0.0.0';
  return {
    op: 'request',
    htype: 1,
    hlen: chaddr.length,
    hops: 0,
    xid: 0,
    secs: 0,
    broadcast: false,
    ciaddr: none,
    yiaddr: none,
    siaddr: none,
    giaddr: none,
    chaddr,
    sname: '',
    file: '',
    options: new Map(),
    ...facts,
  };
}
