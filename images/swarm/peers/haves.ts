import { encodeMessage } from './messages.ts';
import type { Peer } from './peer.ts';
import type { PieceSet } from './piece-set.ts';
import type { PeerKey } from './started-piece.ts';

/**
 * Neighbours are told at most so often in all: each time wakes a process at the other end. 32 machines of 256 pieces that
 * told each other of every piece at once sent 254,000 messages.
 */
const MOST_TOLD_PER_SECOND = 300;

/** What must be known of a peer that is told. */
interface Hearer extends Pick<Peer, 'isEdge'> {
  readonly pieces: Pick<PieceSet, 'isWhole'>;
  readonly link: Pick<Peer['link'], 'send'>;
}

/**
 * Tells peers which pieces came (BEP 3): an edge at once, since it shows the next ones then; neighbours of the first one
 * at once, and of what comes soon after it together, the later the more of them there are.
 */
export class Haves {
  readonly #peers: ReadonlyMap<PeerKey, Hearer>;
  #gathered: Uint8Array[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(peers: ReadonlyMap<PeerKey, Hearer>) {
    this.#peers = peers;
  }

  add(index: number): void {
    const have = encodeMessage({ type: 'have', index });
    for (const peer of this.#peers.values()) if (peer.isEdge) peer.link.send(have);
    this.#gathered.push(have);
    if (this.#timer === undefined) this.#tell();
  }

  /** Nobody is told any more. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#gathered = [];
  }

  #tell(): void {
    const haves = Buffer.concat(this.#gathered.splice(0));
    let told = 0;
    for (const peer of this.#peers.values()) {
      if (peer.isEdge || peer.pieces.isWhole) continue;
      peer.link.send(haves);
      told += 1;
    }
    this.#timer = setTimeout(() => this.#onTime(), (told / MOST_TOLD_PER_SECOND) * 1000);
  }

  #onTime(): void {
    this.#timer = undefined;
    if (this.#gathered.length > 0) this.#tell();
  }
}
