import { COMPACT_PEER_BYTES } from '@bootswarm/images/format';

/** A peer: who it is, and until when it is remembered. */
export interface Peer {
  /** IPv4 address as a number. */
  readonly address: number;
  readonly port: number;
  /** Milliseconds on the tracker's clock. */
  forgetAtMs: number;
  list: PeerList;
  /** In its list. */
  place: number;
}

/**
 * Peers in no order, each by its place. Their compact form (BEP 23) stands in one row of bytes: an answer copies 50 of
 * 10,000 by chance, and objects all over the heap take several times as long.
 */
export class PeerList {
  readonly #peers: Peer[] = [];
  #compact = Buffer.alloc(16 * COMPACT_PEER_BYTES);

  get count(): number {
    return this.#peers.length;
  }

  /** Puts a peer at the end. */
  add(peer: Peer): void {
    const at = this.#peers.length * COMPACT_PEER_BYTES;
    if (at === this.#compact.length) this.#compact = Buffer.concat([this.#compact, Buffer.alloc(at)]);
    this.#compact.writeUInt32BE(peer.address, at);
    this.#compact.writeUInt16BE(peer.port, at + 4);
    peer.list = this;
    peer.place = this.#peers.length;
    this.#peers.push(peer);
  }

  /** Takes one out; the last one takes its place. */
  remove({ place }: Peer): void {
    const last = this.#peers.pop() as Peer;
    if (last.place === place) return;
    this.#peers[place] = last;
    last.place = place;
    const from = this.#peers.length * COMPACT_PEER_BYTES;
    this.#compact.copyWithin(place * COMPACT_PEER_BYTES, from, from + COMPACT_PEER_BYTES);
  }

  /** Writes the compact form of the peer at `place` to byte `at`. */
  write(place: number, to: Uint8Array, at: number): void {
    const from = place * COMPACT_PEER_BYTES;
    for (let byte = 0; byte < COMPACT_PEER_BYTES; byte++)
      to[at + byte] = this.#compact[from + byte] as number;
  }

  /** Those that are to be forgotten by now. */
  overdue(nowMs: number): readonly Peer[] {
    return this.#peers.filter(({ forgetAtMs }) => forgetAtMs <= nowMs);
  }
}
