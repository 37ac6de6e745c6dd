import { ipv4ToNumber } from '@bootswarm/controller/contract';
import { rogueProbe, serverIn } from '../decide/rogue.ts';
import { DatagramBatch, type Sendable } from './datagram-batch.ts';
import { IPPROTO_UDP, ipv4Payload, openRawIpv4 } from './raw-ipv4.ts';

const DHCP_CLIENT_PORT = 68;
const UDP_HEADER_BYTES = 8;
const BATCH = 64;
const PACKET_BYTES = 1600;

/** Hears what other DHCP servers say on an interface, and makes them say something. */
export class RogueWatch {
  readonly fd: number;
  readonly #batch = new DatagramBatch(BATCH, PACKET_BYTES);
  #xid = process.pid;

  private constructor(fd: number) {
    this.fd = fd;
  }

  /** @param ownAddress of the interface, whose own words are passed over. @throws Problem not_root */
  static open(interfaceName: string, ownAddress: string): RogueWatch {
    const filter = [
      [0x20, 0, 0, 12], // a = source address
      [0x15, 4, 0, ipv4ToNumber(ownAddress)],
      [0xb1, 0, 0, 0], // x = length of the IP header
      [0x48, 0, 0, 2], // a = destination port
      [0x15, 0, 1, DHCP_CLIENT_PORT],
      [0x06, 0, 0, 0xffff],
      [0x06, 0, 0, 0],
    ] as const;
    return new RogueWatch(openRawIpv4({ protocol: IPPROTO_UDP, interfaceName, filter }));
  }

  /** A DISCOVER to be broadcast. */
  probe(): Sendable {
    this.#xid = (this.#xid + 1) >>> 0;
    return { bytes: rogueProbe(this.#xid), address: '255.255.255.255', port: 67 };
  }

  /** Servers that spoke since. */
  heard(): readonly string[] {
    return this.#batch
      .receive(this.fd)
      .flatMap(({ bytes }) => serverIn(ipv4Payload(bytes).subarray(UDP_HEADER_BYTES)) ?? []);
  }
}
