import koffi from 'koffi';
import { AF_INET, sendmmsg } from './libc.ts';
import { addressNumberOf, portOfPeer } from './tftp-inbox.ts';

/** struct mmsghdr of 64-bit Linux, by the places of its fields. */
const MMSGHDR = {
  bytes: 64,
  name: 0,
  nameLength: 8,
  vectors: 16,
  vectorCount: 24,
  control: 32,
  controlLength: 40,
};
const IOVEC_BYTES = 16;
const SOCKADDR_BYTES = 16;
/** struct cmsghdr and a uint16, aligned to 8. */
const CMSG_BYTES = 24;
const CMSG_LENGTH = 18;
const SOL_UDP = 17;
const UDP_SEGMENT = 103;

const MESSAGES = 64;
/** The widest window (quirk 12). */
const SEGMENTS = 16;
/** Of DATA: opcode and block. No TFTP packet is shorter. */
const HEAD_BYTES = 4;
/** Whatever follows the first 4 bytes of an OACK or ERROR. */
const TAIL_BYTES = 1532;
const MOST_MESSAGE_BYTES = 65_000;
const OPCODE_DATA = 3;
const FORGET_AFTER = 10_000;

/** Consecutive blocks of a file, all of one length but the last. */
export interface Blocks {
  /** Where the first block's bytes are in this process's memory. */
  readonly address: number;
  /** Number of the first, as on the wire. */
  readonly block: number;
  readonly count: number;
  readonly blockBytes: number;
  /** Of the last block. */
  readonly lastBytes: number;
}

/**
 * What is to be sent from one socket, by sendmmsg(2). Blocks are never copied: the kernel gathers each block's head
 * from here and its bytes from the file. A window goes to the kernel as one datagram that it cuts apart behind the
 * routing (UDP_SEGMENT, udp(7)): less work for the same blocks (edge-node/decisions/0005).
 */
export class TftpOutbox {
  readonly #headers = new DataView(new ArrayBuffer(MESSAGES * MMSGHDR.bytes));
  readonly #vectors = new DataView(new ArrayBuffer(MESSAGES * 2 * SEGMENTS * IOVEC_BYTES));
  readonly #addresses = new DataView(new ArrayBuffer(MESSAGES * SOCKADDR_BYTES));
  readonly #controls = new DataView(new ArrayBuffer(MESSAGES * CMSG_BYTES));
  readonly #heads = new DataView(new ArrayBuffer(MESSAGES * SEGMENTS * HEAD_BYTES));
  readonly #tails = new Uint8Array(MESSAGES * TAIL_BYTES);
  readonly #tailsAddress: number;
  /** What each message is made of, for those that the kernel does not cut. */
  readonly #windows: (Blocks | undefined)[] = [];
  /** Addresses on whose way a segment does not fit, or whose device does not cut. */
  readonly #uncut = new Set<number>();
  #fd = -1;
  #count = 0;

  constructor() {
    const addressOf = (view: { readonly buffer: ArrayBufferLike }): number =>
      Number(koffi.address(view.buffer as ArrayBuffer));
    const [addresses, vectors, controls, heads] = [
      addressOf(this.#addresses),
      addressOf(this.#vectors),
      addressOf(this.#controls),
      addressOf(this.#heads),
    ];
    this.#tailsAddress = addressOf(this.#tails);
    for (let i = 0; i < MESSAGES; i++) {
      const header = i * MMSGHDR.bytes;
      setAddress(this.#headers, header + MMSGHDR.name, addresses + i * SOCKADDR_BYTES);
      this.#headers.setUint32(header + MMSGHDR.nameLength, SOCKADDR_BYTES, true);
      setAddress(this.#headers, header + MMSGHDR.vectors, vectors + i * 2 * SEGMENTS * IOVEC_BYTES);
      setAddress(this.#headers, header + MMSGHDR.control, controls + i * CMSG_BYTES);
      this.#addresses.setUint16(i * SOCKADDR_BYTES, AF_INET, true);
      setAddress(this.#controls, i * CMSG_BYTES, CMSG_LENGTH);
      this.#controls.setUint32(i * CMSG_BYTES + 8, SOL_UDP, true);
      this.#controls.setUint32(i * CMSG_BYTES + 12, UDP_SEGMENT, true);
      for (let k = 0; k < SEGMENTS; k++) {
        const vector = vectorAt(i, 2 * k);
        setAddress(this.#vectors, vector, heads + (i * SEGMENTS + k) * HEAD_BYTES);
        this.#vectors.setUint32(vector + 8, HEAD_BYTES, true);
      }
    }
  }

  /** A packet of 4 to 1536 bytes. */
  addPacket(fd: number, peer: number, packet: Uint8Array): void {
    const i = this.#next(fd, peer);
    this.#windows[i] = undefined;
    for (let at = 0; at < HEAD_BYTES; at++)
      this.#heads.setUint8(i * SEGMENTS * HEAD_BYTES + at, packet[at] ?? 0);
    const tail = packet.subarray(HEAD_BYTES, HEAD_BYTES + TAIL_BYTES);
    this.#tails.set(tail, i * TAIL_BYTES);
    this.#setBody(i, 0, this.#tailsAddress + i * TAIL_BYTES, tail.length);
    this.#setShape(i, 1, 0);
  }

  /** At most 16 blocks. They must stay in memory until `flush`. */
  addBlocks(fd: number, peer: number, blocks: Blocks): void {
    const fits = blocks.count * (blocks.blockBytes + HEAD_BYTES) <= MOST_MESSAGE_BYTES;
    if (blocks.count === 1 || (fits && !this.#uncut.has(addressNumberOf(peer))))
      this.#addWindow(fd, peer, blocks);
    else for (const block of apart(blocks)) this.#addWindow(fd, peer, block);
  }

  /** Sends all in order. What the kernel refuses (no route) is lost, as on the wire. */
  flush(): void {
    const count = this.#count;
    for (let sent = 0; sent < count; ) {
      const from = sent === 0 ? this.#headers : new DataView(this.#headers.buffer, sent * MMSGHDR.bytes);
      const done = sendmmsg(this.#fd, from, count - sent, 0);
      if (done > 0) sent += done;
      else {
        const window = this.#windows[sent];
        if (window && window.count > 1) this.#sendApart(sent, window);
        sent += 1;
      }
    }
    this.#count = 0;
  }

  #addWindow(fd: number, peer: number, blocks: Blocks): void {
    const i = this.#next(fd, peer);
    this.#windows[i] = blocks;
    this.#fill(i, blocks);
  }

  #fill(i: number, { address, block, count, blockBytes, lastBytes }: Blocks): void {
    for (let k = 0; k < count; k++) {
      const head = (i * SEGMENTS + k) * HEAD_BYTES;
      this.#heads.setUint16(head, OPCODE_DATA);
      this.#heads.setUint16(head + 2, (block + k) & 0xffff);
      this.#setBody(i, k, address + k * blockBytes, k === count - 1 ? lastBytes : blockBytes);
    }
    this.#setShape(i, count, count > 1 ? blockBytes + HEAD_BYTES : 0);
  }

  /** A window that the kernel would not cut: a block at a time, now and for this address from now on. */
  #sendApart(i: number, window: Blocks): void {
    if (this.#uncut.size > FORGET_AFTER) this.#uncut.clear();
    this.#uncut.add(this.#addresses.getUint32(i * SOCKADDR_BYTES + 4));
    for (const block of apart(window)) {
      this.#fill(i, block);
      sendmmsg(this.#fd, new DataView(this.#headers.buffer, i * MMSGHDR.bytes), 1, 0);
    }
  }

  #next(fd: number, peer: number): number {
    if (this.#count > 0 && (fd !== this.#fd || this.#count === MESSAGES)) this.flush();
    this.#fd = fd;
    const at = this.#count * SOCKADDR_BYTES;
    this.#addresses.setUint16(at + 2, portOfPeer(peer));
    this.#addresses.setUint32(at + 4, addressNumberOf(peer));
    return this.#count++;
  }

  #setBody(i: number, k: number, address: number, bytes: number): void {
    const vector = vectorAt(i, 2 * k + 1);
    setAddress(this.#vectors, vector, address);
    this.#vectors.setUint32(vector + 8, bytes, true);
  }

  #setShape(i: number, segments: number, segmentBytes: number): void {
    const header = i * MMSGHDR.bytes;
    this.#headers.setUint32(header + MMSGHDR.vectorCount, 2 * segments, true);
    this.#headers.setUint32(header + MMSGHDR.controlLength, segmentBytes > 0 ? CMSG_BYTES : 0, true);
    this.#controls.setUint16(i * CMSG_BYTES + 16, segmentBytes, true);
  }
}

function apart({ address, block, count, blockBytes, lastBytes }: Blocks): readonly Blocks[] {
  return Array.from({ length: count }, (_, k) => ({
    address: address + k * blockBytes,
    block: block + k,
    count: 1,
    blockBytes,
    lastBytes: k === count - 1 ? lastBytes : blockBytes,
  }));
}

function vectorAt(message: number, vector: number): number {
  return (message * 2 * SEGMENTS + vector) * IOVEC_BYTES;
}

/** Addresses have 47 bits: a number holds them exactly, and costs less than a bigint. */
function setAddress(view: DataView, at: number, address: number): void {
  view.setUint32(at, address >>> 0, true);
  view.setUint32(at + 4, Math.floor(address / 0x1_0000_0000), true);
}
