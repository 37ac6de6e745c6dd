import { encodeMessage } from './messages.ts';
import type { Peer } from './peer.ts';
import type { PieceSet } from './piece-set.ts';
import type { PeerKey } from './started-piece.ts';

/**
 * Each neighbour that is told costs a packet and its acknowledgement, 132 bytes for 9, and wakes a process: with so many
 * bytes to tell of for each, 1.6 % of what came. Pieces of 32 KiB, told to 31 neighbours one by one, cost 13 %.
 */
const BYTES_PER_NEIGHBOUR = 8 * 1024;
/** Nothing is kept from them for longer. */
const GATHERED_MS = 500;

/** What must be known of a peer that is told. */
interface Hearer extends Pick<Peer, 'isEdge'> {
  readonly pieces: Pick<PieceSet, 'isWhole'>;
  readonly link: Pick<Peer['link'], 'send'>;
}

/**
 * Tells peers which pieces came (BEP 3): an edge at once, since it shows the next ones then; neighbours of the first one
 * at once, and then of several together, the more of them there are and the smaller the pieces.
 */
export class Haves {
  readonly #peers: ReadonlyMap<PeerKey, Hearer>;
  readonly #pieceBytes: number;
  #gathered: Uint8Array[] = [];
  #dueBytes = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(peers: ReadonlyMap<PeerKey, Hearer>, pieceBytes: number) {
    this.#peers = peers;
    this.#pieceBytes = pieceBytes;
  }

  add(index: number): void {
    const have = encodeMessage({ type: 'have', index });
    for (const peer of this.#peers.values()) if (peer.isEdge) peer.link.send(have);
    this.#gathered.push(have);
    if (this.#gathered.length * this.#pieceBytes >= this.#dueBytes) this.#tell();
    else this.#timer ??= setTimeout(() => this.#tell(), GATHERED_MS);
  }

  /** Nobody is told any more. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#gathered = [];
  }

  #tell(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const haves = Buffer.concat(this.#gathered.splice(0));
    this.#dueBytes = 0;
    for (const peer of this.#peers.values()) {
      if (peer.isEdge || peer.pieces.isWhole) continue;
      peer.link.send(haves);
      this.#dueBytes += BYTES_PER_NEIGHBOUR;
    }
  }
}
