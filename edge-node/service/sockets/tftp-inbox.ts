import koffi from 'koffi';
import { recvmmsg } from './libc.ts';

/** struct mmsghdr of 64-bit Linux, struct iovec and struct sockaddr_in; see datagram-batch.ts. */
const MMSGHDR_BYTES = 64;
const MSG_LENGTH_AT = 56;
const IOVEC_BYTES = 16;
const SOCKADDR_BYTES = 16;
const MSG_DONTWAIT = 0x40;
/** More than a request has; ACKs have 4. */
const DATAGRAM_BYTES = 1536;
const CAPACITY = 256;

/**
 * Datagrams as recvmmsg(2) laid them down. Who sent one is a number, as an ACK is answered within microseconds and
 * texts and objects would cost as much as the answer.
 */
export class TftpInbox {
  readonly #headers = new DataView(new ArrayBuffer(CAPACITY * MMSGHDR_BYTES));
  readonly #vectors = new DataView(new ArrayBuffer(CAPACITY * IOVEC_BYTES));
  readonly #addresses = new DataView(new ArrayBuffer(CAPACITY * SOCKADDR_BYTES));
  readonly #data = new Uint8Array(CAPACITY * DATAGRAM_BYTES);

  constructor() {
    const [vectors, addresses, data] = [this.#vectors, this.#addresses, this.#data].map((view) =>
      koffi.address(view.buffer),
    ) as [bigint, bigint, bigint];
    for (let i = 0; i < CAPACITY; i++) {
      const header = i * MMSGHDR_BYTES;
      this.#headers.setBigUint64(header, addresses + BigInt(i * SOCKADDR_BYTES), true);
      this.#headers.setUint32(header + 8, SOCKADDR_BYTES, true);
      this.#headers.setBigUint64(header + 16, vectors + BigInt(i * IOVEC_BYTES), true);
      this.#headers.setBigUint64(header + 24, 1n, true);
      this.#vectors.setBigUint64(i * IOVEC_BYTES, data + BigInt(i * DATAGRAM_BYTES), true);
      this.#vectors.setBigUint64(i * IOVEC_BYTES + 8, BigInt(DATAGRAM_BYTES), true);
    }
  }

  /** Takes what is waiting without waiting itself. @returns how many, at most 256. */
  receive(fd: number): number {
    const count = Math.max(recvmmsg(fd, this.#headers, CAPACITY, MSG_DONTWAIT, null), 0);
    // The kernel wrote over the length of each source address.
    for (let i = 0; i < count; i++) this.#headers.setUint32(i * MMSGHDR_BYTES + 8, SOCKADDR_BYTES, true);
    return count;
  }

  /** The payload; the next receive writes over it. */
  bytes(i: number): Uint8Array {
    const length = this.#headers.getUint32(i * MMSGHDR_BYTES + MSG_LENGTH_AT, true);
    return this.#data.subarray(i * DATAGRAM_BYTES, i * DATAGRAM_BYTES + length);
  }

  /** Who sent it; see `peerOf`. */
  peer(i: number): number {
    const at = i * SOCKADDR_BYTES;
    return peerOf(this.#addresses.getUint32(at + 4), this.#addresses.getUint16(at + 2));
  }
}

/** Address and port in one number of 48 bits. */
export function peerOf(address: number, port: number): number {
  return address * 0x10000 + port;
}

export function portOfPeer(peer: number): number {
  return peer % 0x10000;
}

export function addressNumberOf(peer: number): number {
  return Math.floor(peer / 0x10000);
}

/** Dotted text. */
export function addressOfPeer(peer: number): string {
  const address = addressNumberOf(peer);
  return [24, 16, 8, 0].map((shift) => (address >>> shift) & 255).join('.');
}
