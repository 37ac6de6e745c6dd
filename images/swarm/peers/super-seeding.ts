import type { Peer } from './peer.ts';
import { Spreader } from './spreader.ts';
import type { SpreadOptions } from './swarm-options.ts';

/** What an edge shows to a machine ahead of what it got: what it fetches in this time, and some more. */
const SHOWN_SECONDS = 1;
const FEWEST_SHOWN = 8;
const MOST_SHOWN_BYTES = 12 * 1024 * 1024;
/** Where bytes are dearer than time. */
const FEWEST_SPARINGLY = 2;
/** Of what a peer was shown and takes nothing of for so long, others are shown. */
const IDLE_SHOWN_MS = 20_000;

interface SeededArtefact {
  readonly pieces: readonly unknown[];
  readonly pieceBytes: number;
}

/** Tells the peers of an edge that has everything which pieces are theirs to fetch (BEP 16, spreader.ts). */
export class SuperSeeding {
  readonly #spreader: Spreader;
  readonly #pieceBytes: number;
  readonly #spread: SpreadOptions | undefined;

  /** @param spread for the machines of a segment where it is left out. @param random in `[0, 1)`. */
  constructor(
    { pieces, pieceBytes }: SeededArtefact,
    spread: SpreadOptions | undefined,
    random: () => number,
  ) {
    this.#spreader = new Spreader(pieces.length, random, spread?.mostRepeated);
    this.#pieceBytes = pieceBytes;
    this.#spread = spread;
  }

  /** A peer has more than before. @param index of the piece; left out where it said all that it has. */
  onHas(peer: Peer, index?: number): void {
    const { key, pieces } = peer;
    this.#say(
      peer,
      index === undefined
        ? this.#spreader.add(key, pieces, this.#window(peer))
        : this.#spreader.onHave(key, index, this.#window(peer)),
    );
  }

  onGone({ key }: Peer): void {
    this.#spreader.remove(key);
  }

  /** To be called a few times a second. */
  tick(peer: Peer, nowMs: number): void {
    // One that has nothing may say nothing of it (BEP 3).
    this.onHas(peer);
    if (nowMs - peer.takenAtMs > IDLE_SHOWN_MS) this.#spreader.giveUp(peer.key);
    else if (this.#spread) this.#say(peer, this.#spreader.refill(peer.key, this.#window(peer)));
  }

  /** Pieces that a peer is shown ahead of what it has. */
  #window({ up }: Peer): number {
    if (this.#spread)
      return Math.max(FEWEST_SPARINGLY, Math.ceil(this.#spread.aheadBytes / this.#pieceBytes));
    const bytes = Math.min(MOST_SHOWN_BYTES, up.perSecond * SHOWN_SECONDS);
    return FEWEST_SHOWN + Math.floor(bytes / this.#pieceBytes);
  }

  #say(peer: Peer, news: readonly number[]): void {
    if (news.length === 0) return;
    peer.link.together(() => {
      for (const index of news) peer.send({ type: 'have', index });
    });
  }
}
