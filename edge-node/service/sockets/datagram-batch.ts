import { ipv4FromNumber, ipv4ToNumber } from '@bootswarm/edge-node/dhcp4';
import koffi from 'koffi';
import { AF_INET, recvmmsg, sendmmsg } from './libc.ts';

/** struct mmsghdr of 64-bit Linux: a msghdr of 56 bytes, then the length of what came. */
const MMSGHDR_BYTES = 64;
const MSG_LENGTH_AT = 56;
/** struct iovec and struct sockaddr_in. */
const IOVEC_BYTES = 16;
const SOCKADDR_BYTES = 16;
const MSG_DONTWAIT = 0x40;

/** A datagram as it came. `bytes` are overwritten by the next receive. */
export interface Received {
  readonly bytes: Uint8Array;
  readonly address: string;
  readonly port: number;
}

export interface Sendable {
  readonly bytes: Uint8Array;
  readonly address: string;
  readonly port: number;
}

/**
 * Room for many datagrams that one system call moves (recvmmsg(2), sendmmsg(2)): at thousands of packets a
 * second the call per packet is what costs.
 */
export class DatagramBatch {
  readonly #capacity: number;
  readonly #datagramBytes: number;
  readonly #headers: DataView;
  readonly #vectors: DataView;
  readonly #addresses: DataView;
  readonly #data: Uint8Array;
  #filled = 0;

  /** @param datagramBytes longest datagram; what is longer is cut off. */
  constructor(capacity: number, datagramBytes: number) {
    this.#capacity = capacity;
    this.#datagramBytes = datagramBytes;
    this.#headers = new DataView(new ArrayBuffer(capacity * MMSGHDR_BYTES));
    this.#vectors = new DataView(new ArrayBuffer(capacity * IOVEC_BYTES));
    this.#addresses = new DataView(new ArrayBuffer(capacity * SOCKADDR_BYTES));
    this.#data = new Uint8Array(capacity * datagramBytes);
    const [vectors, addresses, data] = [this.#vectors, this.#addresses, this.#data].map((view) =>
      koffi.address(view.buffer),
    ) as [bigint, bigint, bigint];
    for (let i = 0; i < capacity; i++) {
      const header = i * MMSGHDR_BYTES;
      this.#headers.setBigUint64(header, addresses + BigInt(i * SOCKADDR_BYTES), true);
      this.#headers.setUint32(header + 8, SOCKADDR_BYTES, true);
      this.#headers.setBigUint64(header + 16, vectors + BigInt(i * IOVEC_BYTES), true);
      this.#headers.setBigUint64(header + 24, 1n, true);
      this.#vectors.setBigUint64(i * IOVEC_BYTES, data + BigInt(i * datagramBytes), true);
      this.#vectors.setBigUint64(i * IOVEC_BYTES + 8, BigInt(datagramBytes), true);
    }
  }

  /** Takes what is waiting, at most the capacity, without waiting itself. */
  receive(fd: number): readonly Received[] {
    // The kernel wrote the length of each source address that it filled in.
    for (let i = 0; i < this.#filled; i++)
      this.#headers.setUint32(i * MMSGHDR_BYTES + 8, SOCKADDR_BYTES, true);
    const count = recvmmsg(fd, this.#headers, this.#capacity, MSG_DONTWAIT, null);
    this.#filled = Math.max(count, 0);
    const datagrams: Received[] = [];
    for (let i = 0; i < this.#filled; i++) datagrams.push(this.#received(i));
    return datagrams;
  }

  /**
   * Sends in order. A datagram that the kernel refuses (no route, no buffer) is lost, as on the wire, and those
   * behind it go on.
   * @returns how many were refused.
   */
  send(fd: number, datagrams: readonly Sendable[]): number {
    let refused = 0;
    for (let at = 0; at < datagrams.length; at += this.#capacity)
      refused += this.#sendSome(fd, datagrams.slice(at, at + this.#capacity));
    return refused;
  }

  #sendSome(fd: number, datagrams: readonly Sendable[]): number {
    let i = 0;
    for (const { bytes, address, port } of datagrams) {
      this.#data.set(bytes, i * this.#datagramBytes);
      // The upper half of the length stays 0.
      this.#vectors.setUint32(i * IOVEC_BYTES + 8, bytes.length, true);
      const at = i * SOCKADDR_BYTES;
      this.#addresses.setUint16(at, AF_INET, true);
      this.#addresses.setUint16(at + 2, port);
      this.#addresses.setUint32(at + 4, ipv4ToNumber(address));
      i += 1;
    }
    let refused = 0;
    for (let sent = 0; sent < datagrams.length; ) {
      const count = sendmmsg(
        fd,
        sent === 0 ? this.#headers : new DataView(this.#headers.buffer, sent * MMSGHDR_BYTES),
        datagrams.length - sent,
        0,
      );
      if (count > 0) sent += count;
      else {
        refused += 1;
        sent += 1;
      }
    }
    for (i = 0; i < datagrams.length; i++)
      this.#vectors.setUint32(i * IOVEC_BYTES + 8, this.#datagramBytes, true);
    return refused;
  }

  #received(i: number): Received {
    const length = this.#headers.getUint32(i * MMSGHDR_BYTES + MSG_LENGTH_AT, true);
    const start = i * this.#datagramBytes;
    const at = i * SOCKADDR_BYTES;
    return {
      bytes: this.#data.subarray(start, start + length),
      address: ipv4FromNumber(this.#addresses.getUint32(at + 4)),
      port: this.#addresses.getUint16(at + 2),
    };
  }
}
