import { type Artefact, pieceRange } from '@bootswarm/images/format';
import { chooseSlots } from './choker.ts';
import { type BlockRange, encodeBlockHeader } from './messages.ts';
import type { Peer } from './peer.ts';
import type { PieceCache } from './piece-cache.ts';
import type { PieceStore } from './piece-store.ts';
import { peerProblem } from './problems.ts';
import type { PeerKey } from './started-piece.ts';
import type { TokenBucket } from './token-bucket.ts';

/** The largest block that anyone gets in one message. */
const MOST_BLOCK_BYTES = 1024 * 1024;
/** What a peer may have asked for at once; told to it by the extended handshake. */
export const MOST_REQUESTS = 512;
/** No block is added while so much waits in a peer's socket: one goes out while the next one waits. */
const MOST_QUEUED_BYTES = 1024 * 1024;

export interface UploadOptions {
  readonly artefact: Artefact;
  readonly store: PieceStore;
  readonly cache: PieceCache;
  readonly bucket: TokenBucket;
  /** Whether the cap does not hold for a peer. */
  readonly isNear?: ((address: string) => boolean) | undefined;
  /** Peers that may fetch at once. */
  readonly slots: number;
  /** Told when the rate cap held something back: `pump` is to be called a little later. */
  readonly onCapped: () => void;
}

/** The giving side of a swarm: who may fetch, and what was asked for, out of few reads. */
export class Upload {
  readonly #options: UploadOptions;
  readonly #takenBefore = new Map<PeerKey, number>();

  constructor(options: UploadOptions) {
    this.#options = options;
  }

  /** @throws Problem `message_malformed`, `too_much_noise`. */
  onRequest(peer: Peer, block: BlockRange): void {
    const { start, end } = pieceRange(this.#options.artefact, block.index);
    if (block.length === 0 || block.length > MOST_BLOCK_BYTES || block.begin + block.length > end - start)
      throw peerProblem('message_malformed', {
        facts: { reason: `a request of ${block.length} bytes at ${block.begin} of piece ${block.index}` },
      });
    const isRefused = peer.isChoked || !this.#options.store.have.has(block.index);
    if (isRefused || peer.wants.length >= MOST_REQUESTS) {
      peer.noise();
      if (peer.speaksFast) peer.send({ type: 'reject', ...block });
      return;
    }
    peer.wants.push(block);
    // What else came with it is answered in the same writev.
    if (peer.wants.length === 1) queueMicrotask(() => this.pump(peer));
  }

  onCancel(peer: Peer, { index, begin, length }: BlockRange): void {
    const at = peer.wants.findIndex(
      (want) => want.index === index && want.begin === begin && want.length === length,
    );
    if (at === -1) peer.noise();
    else peer.wants.splice(at, 1);
    if (at !== -1 && peer.speaksFast) peer.send({ type: 'reject', index, begin, length });
  }

  /** Gives a peer what it waits for, as much as its socket takes. */
  pump(peer: Peer): void {
    if (peer.wants.length === 0 || peer.isReading || peer.link.isClosed) return;
    peer.link.together(() => {
      while (peer.wants.length > 0 && peer.link.queuedBytes < MOST_QUEUED_BYTES)
        if (!this.#giveNext(peer)) break;
    });
    this.#readAhead(peer);
  }

  /** Chooses who may fetch, and tells those for whom that changes something. */
  rechoke(peers: ReadonlyMap<PeerKey, Peer>, nowMs: number): void {
    const takers = Array.from(peers.values(), (peer) => ({
      key: peer.key,
      isInterested: peer.isInterested,
      isUnchoked: !peer.isChoked,
      sinceMs: nowMs - peer.chokedAtMs,
      takenBytes: peer.up.bytes - (this.#takenBefore.get(peer.key) ?? 0),
      held: peer.pieces.size,
    }));
    const chosen = chooseSlots(takers, this.#options.slots);
    this.#takenBefore.clear();
    for (const peer of peers.values()) {
      this.#takenBefore.set(peer.key, peer.up.bytes);
      if (chosen.has(peer.key) === peer.isChoked) this.#setChoked(peer, !peer.isChoked, nowMs);
    }
  }

  /** A slot that is free goes to whoever comes, at once: the next choice may be a second away. */
  onInterested(peers: ReadonlyMap<PeerKey, Peer>, peer: Peer, nowMs: number): void {
    let taken = 0;
    for (const each of peers.values()) if (!each.isChoked && each.isInterested) taken += 1;
    if (peer.isChoked && taken < this.#options.slots) this.#setChoked(peer, false, nowMs);
  }

  #setChoked(peer: Peer, isChoked: boolean, nowMs: number): void {
    peer.isChoked = isChoked;
    peer.chokedAtMs = nowMs;
    peer.send({ type: isChoked ? 'choke' : 'unchoke' });
    if (!isChoked) return;
    // With the fast extension each request is answered; without it a choke says that none will be.
    if (peer.speaksFast) for (const want of peer.wants) peer.send({ type: 'reject', ...want });
    peer.wants = [];
  }

  /** @returns whether a block was given, and more may be. */
  #giveNext(peer: Peer): boolean {
    const block = peer.wants[0] as BlockRange;
    const piece = this.#options.cache.held(block.index);
    if (!piece) {
      void this.#read(peer, block.index);
      return false;
    }
    const { bucket, isNear } = this.#options;
    if (!isNear?.(peer.address) && !bucket.take(block.length, performance.now())) {
      piece.release();
      this.#options.onCapped();
      return false;
    }
    peer.wants.shift();
    peer.up.add(block.length);
    peer.takenAtMs = performance.now();
    const bytes = piece.bytes.subarray(block.begin, block.begin + block.length);
    peer.link.sendBlock(encodeBlockHeader(block), bytes, () => {
      piece.release();
      this.pump(peer);
    });
    return true;
  }

  async #read(peer: Peer, index: number): Promise<void> {
    peer.isReading = true;
    try {
      await this.#options.cache.load(index);
    } catch (error) {
      peer.link.close(error as Error);
    } finally {
      peer.isReading = false;
    }
    this.pump(peer);
  }

  /** The piece that comes after the one that is being sent. */
  #readAhead({ wants }: Peer): void {
    const index = wants[0]?.index;
    const next = wants.find((want) => want.index !== index)?.index ?? index;
    if (next !== undefined) this.#options.cache.ahead(next);
  }
}
