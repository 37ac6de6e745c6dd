import { PieceSet } from './piece-set.ts';
import type { PeerKey } from './started-piece.ts';

/** What one peer has or was shown. */
interface Shown {
  readonly pieces: PieceSet;
  /** What was shown to it and it has not got yet. */
  readonly pending: Set<number>;
  /** What it was shown, did not fetch, and others may be shown. */
  readonly givenUp: Set<number>;
}

/**
 * Which pieces an edge shows to whom (super-seeding, BEP 16): to each machine others, so that each piece leaves the edge
 * once and machines have something to give to one another. What one machine has, or was shown, is shown to others last.
 * BEP 16 shows one piece at a time, which leaves fast links idle: here it is a window of them. The last ones are shown all
 * at once, so that nobody waits for a slow neighbour in the end. No I/O, no clock.
 */
export class Spreader {
  readonly #random: () => number;
  readonly #mostRepeated: number;
  /** How many peers have each piece, or were shown it. */
  readonly #spread: Uint32Array;
  readonly #peers = new Map<PeerKey, Shown>();

  /**
   * @param random in `[0, 1)`.
   * @param mostRepeated what another has, or was shown, is shown to a peer only while it has less than so many to fetch.
   */
  constructor(pieceCount: number, random: () => number, mostRepeated = Number.POSITIVE_INFINITY) {
    this.#random = random;
    this.#mostRepeated = mostRepeated;
    this.#spread = new Uint32Array(pieceCount);
  }

  /**
   * A peer that was not there before.
   * @param window pieces that it may have before it, not yet fetched.
   * @returns what to show to it.
   */
  add(key: PeerKey, has: PieceSet, window: number): readonly number[] {
    if (this.#peers.has(key)) return [];
    const shown: Shown = { pieces: new PieceSet(has.length), pending: new Set(), givenUp: new Set() };
    this.#peers.set(key, shown);
    for (let index = 0; index < has.length; index++) if (has.has(index)) this.#note(shown, index);
    return this.#show(shown, window);
  }

  /** A peer has one more piece, from wherever. @param window as above. @returns what to show to it. */
  onHave(key: PeerKey, index: number, window: number): readonly number[] {
    const shown = this.#peers.get(key);
    if (!shown) return [];
    this.#note(shown, index);
    shown.pending.delete(index);
    if (shown.givenUp.delete(index)) this.#count(index, 1);
    return this.#show(shown, window);
  }

  /** @param window as above. @returns what to show to a peer of what others left or gave up. */
  refill(key: PeerKey, window: number): readonly number[] {
    const shown = this.#peers.get(key);
    return shown ? this.#show(shown, window) : [];
  }

  /** What only a peer that is gone had is to be shown to others first. */
  remove(key: PeerKey): void {
    const shown = this.#peers.get(key);
    if (!shown) return;
    this.#peers.delete(key);
    for (let index = 0; index < this.#spread.length; index++)
      if (shown.pieces.has(index) && !shown.givenUp.has(index)) this.#count(index, -1);
  }

  /** A peer does not fetch what it was shown: others may be shown it as if it had not been. It may fetch it all the same. */
  giveUp(key: PeerKey): void {
    const shown = this.#peers.get(key);
    if (!shown) return;
    for (const index of shown.pending) {
      shown.givenUp.add(index);
      this.#count(index, -1);
    }
    shown.pending.clear();
  }

  #show(shown: Shown, window: number): readonly number[] {
    const news: number[] = [];
    // Where bytes are dearer than time, nobody has the last ones twice either.
    const isLast = this.#mostRepeated > 0 && this.#spread.length - shown.pieces.size <= window;
    while (isLast || shown.pending.size < window) {
      const index = this.#leastSpread(shown.pieces);
      if (index === undefined) break;
      const isRepeated = (this.#spread[index] as number) > 0;
      if (isRepeated && !isLast && shown.pending.size >= this.#mostRepeated) break;
      this.#note(shown, index);
      shown.pending.add(index);
      news.push(index);
    }
    return news;
  }

  /** Of what a peer neither has nor was shown, what fewest have; ties by chance. */
  #leastSpread(pieces: PieceSet): number | undefined {
    const count = this.#spread.length;
    const from = Math.floor(this.#random() * count);
    let best: number | undefined;
    let bestSpread = Number.POSITIVE_INFINITY;
    for (let step = 0; step < count && bestSpread > 0; step++) {
      const index = (from + step) % count;
      const spread = this.#spread[index] as number;
      if (spread >= bestSpread || pieces.has(index)) continue;
      best = index;
      bestSpread = spread;
    }
    return best;
  }

  #note({ pieces }: Shown, index: number): void {
    if (pieces.add(index)) this.#count(index, 1);
  }

  #count(index: number, by: 1 | -1): void {
    this.#spread[index] = (this.#spread[index] as number) + by;
  }
}
