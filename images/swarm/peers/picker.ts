import type { BlockRange } from './messages.ts';
import type { PieceSet } from './piece-set.ts';
import { type Ask, type PeerKey, StartedPiece, UNIT_BYTES } from './started-piece.ts';

/** What the picker must know of whom a block may be asked. */
export interface PickerPeer {
  readonly key: PeerKey;
  readonly pieces: PieceSet;
  /** The largest block that it serves, a multiple of 16 KiB. */
  readonly blockBytes: number;
  /** Whether it is the edge: what a neighbour has is the neighbours' to give. */
  readonly isEdge: boolean;
  /** Whether it may have lied: what it gives is not mixed with what others give. */
  readonly isSuspect: boolean;
  /** Whether a piece is better fetched from anyone else: it was wrong, or refused. */
  avoids(index: number): boolean;
}

/** How a block is asked for. */
export interface Pick {
  readonly block: BlockRange;
  /** Others were asked for it too. */
  readonly isDuplicate: boolean;
}

export interface PickerOptions {
  /** Bytes of the artefact. */
  readonly length: number;
  readonly pieceBytes: number;
  /** What is there already. */
  readonly have: PieceSet;
  /** Pieces that may be in memory at once. */
  readonly mostStarted: number;
  /** In `[0, 1)`. */
  readonly random: () => number;
}

/** Pieces looked at for the rarest. Of more, any so many tell nearly as well, and a pick stays below 0.1 ms. */
const MOST_LOOKED_AT = 4096;
/** Peers that a block is asked of in the end. */
const ENDGAME_ASKERS = 3;
/** Of a block that is asked of several: less goes to waste than of a whole piece. */
const ENDGAME_BLOCK_BYTES = 8 * UNIT_BYTES;

/**
 * Which block to ask of which peer: the rarest piece first, ties by chance; each piece of one peer, so that a wrong one
 * tells who lies; once every piece is under way, what is missing of others too (endgame). No I/O, no clock.
 */
export class Picker {
  readonly #options: PickerOptions;
  /** Pieces that nothing was asked of, in an order of chance. */
  readonly #wanted: number[] = [];
  /** Where in `#wanted` each piece stands; -1: it is there, or under way. */
  readonly #place: Int32Array;
  readonly #started = new Map<number, StartedPiece>();
  /** Pieces that a mix of peers got wrong. */
  readonly #solo = new Set<number>();
  readonly #availability: Uint32Array;
  readonly #neighbours: Uint32Array;

  constructor(options: PickerOptions) {
    this.#options = options;
    const { have } = options;
    this.#place = new Int32Array(have.length).fill(-1);
    this.#availability = new Uint32Array(have.length);
    this.#neighbours = new Uint32Array(have.length);
    for (let index = 0; index < have.length; index++) if (!have.has(index)) this.#want(index);
  }

  /** Whether every piece is there. */
  get isDone(): boolean {
    return this.#wanted.length === 0 && this.#started.size === 0;
  }

  /** Whether every piece that is missing is under way. */
  get isEndgame(): boolean {
    return this.#wanted.length === 0;
  }

  /** Whether no further piece may be in memory. */
  get isFull(): boolean {
    return this.#started.size >= this.#options.mostStarted;
  }

  /** Connected peers that have a piece, the edge not counted. */
  neighboursWith(index: number): number {
    return this.#neighbours[index] as number;
  }

  /** Whether the piece is neither there nor verified. */
  needs(index: number): boolean {
    return this.#place[index] !== -1 || this.#started.has(index);
  }

  /** Pieces of which something was asked for. */
  get started(): Iterable<StartedPiece> {
    return this.#started.values();
  }

  startedPiece(index: number): StartedPiece | undefined {
    return this.#started.get(index);
  }

  addAvailable(index: number, isEdge: boolean, by: 1 | -1 = 1): void {
    this.#availability[index] = (this.#availability[index] as number) + by;
    if (!isEdge) this.#neighbours[index] = (this.#neighbours[index] as number) + by;
  }

  /**
   * The next block to ask of a peer, noted as asked. Undefined where nothing of it is wanted now.
   * @param mayRepeat whether what neighbours have may be asked of an edge too.
   * @param mayDuplicate whether a block that was asked of others may be asked of it, in the endgame.
   */
  next(
    peer: PickerPeer,
    { mayRepeat, mayDuplicate }: { mayRepeat: boolean; mayDuplicate: boolean },
  ): Pick | undefined {
    const block =
      this.#own(peer) ??
      (peer.isSuspect ? undefined : this.#orphan(peer)) ??
      this.#spoilt(peer) ??
      this.#rarest(peer, mayRepeat) ??
      (peer.isSuspect ? this.#orphan(peer) : this.#shared(peer));
    if (block) return this.#asked(peer, block, false);
    const duplicate = mayDuplicate && !peer.isSuspect ? this.#duplicate(peer) : undefined;
    return duplicate && this.#asked(peer, duplicate, true);
  }

  /**
   * Takes pieces that follow one another and that nobody else fetches, for a source that has all: it owns them until it
   * lets go of all. They come as whole blocks. Where others fetch all that is missing, it takes one of those: it is asked
   * when they are no help, and may be all that ends a piece of one that trickles.
   */
  nextRun(key: PeerKey, mostPieces: number): readonly BlockRange[] {
    for (const piece of this.#started.values())
      if (piece.owner === undefined && !piece.isComplete) return [this.#whole(piece, key)];
    const first = this.isFull ? undefined : this.#leastAvailable();
    if (first === undefined) return this.#takeOver(key);
    const run: BlockRange[] = [];
    for (let index = first; run.length < mostPieces && (this.#place[index] ?? -1) !== -1; index++)
      run.push(this.#whole(this.#start(index, key), key));
    return run;
  }

  /** Nothing more is expected of a block that was asked for. */
  release(key: PeerKey, block: BlockRange): void {
    this.#started.get(block.index)?.release(key, block);
  }

  /** Nothing that was asked of a peer is expected any more; of one piece, or of all. */
  releaseAll(key: PeerKey, index?: number): void {
    const pieces = index === undefined ? this.#started.values() : [this.#started.get(index)];
    for (const piece of pieces) piece?.release(key);
  }

  /** A block came. @returns what others need not send any more. */
  receive(key: PeerKey, block: BlockRange): readonly Ask[] {
    return this.#started.get(block.index)?.receive(key, block) ?? [];
  }

  /** A complete piece is right and stored. */
  keep(index: number): void {
    this.#started.delete(index);
    this.#solo.delete(index);
  }

  /** A complete piece is wrong. @param wasMixed whether several gave it: the next try is one peer's alone. */
  reject(index: number, wasMixed: boolean): void {
    this.#started.delete(index);
    if (wasMixed) this.#solo.add(index);
    this.#want(index);
  }

  #asked(peer: PickerPeer, block: BlockRange, isDuplicate: boolean): Pick {
    this.#started.get(block.index)?.ask(peer.key, block);
    return { block, isDuplicate };
  }

  #whole(piece: StartedPiece, key: PeerKey): BlockRange {
    const block = { index: piece.index, begin: 0, length: piece.length };
    piece.owner = key;
    piece.ask(key, block);
    return block;
  }

  #takeOver(key: PeerKey): readonly BlockRange[] {
    for (const piece of this.#started.values())
      if (piece.owner !== key && !piece.isComplete) return [this.#whole(piece, key)];
    return [];
  }

  #own({ key, blockBytes }: PickerPeer): BlockRange | undefined {
    for (const piece of this.#started.values()) {
      const block = piece.owner === key && !piece.isComplete ? piece.unasked(blockBytes) : undefined;
      if (block) return block;
    }
    return undefined;
  }

  /** Of a piece whose owner left, or was too slow. */
  #orphan(peer: PickerPeer): BlockRange | undefined {
    for (const piece of this.#started.values()) {
      if (piece.owner !== undefined || piece.isComplete || !this.#mayAsk(peer, piece.index)) continue;
      if (peer.isSuspect) piece.becomeSolo();
      if (piece.isSolo) piece.restart();
      const block = piece.unasked(peer.blockBytes);
      if (!block) continue;
      piece.owner = peer.key;
      return block;
    }
    return undefined;
  }

  /** What a mix got wrong comes before what is rare: the right piece tells who lied, before more is spoilt. */
  #spoilt(peer: PickerPeer): BlockRange | undefined {
    if (this.isFull) return undefined;
    for (const index of this.#solo)
      if (this.#place[index] !== -1 && this.#mayAsk(peer, index))
        return this.#start(index, peer.key, peer.isSuspect).unasked(peer.blockBytes);
    return undefined;
  }

  #rarest(peer: PickerPeer, mayRepeat: boolean): BlockRange | undefined {
    if (this.isFull) return undefined;
    let best: number | undefined;
    let bestCount = Number.POSITIVE_INFINITY;
    const looked = Math.min(this.#wanted.length, MOST_LOOKED_AT);
    const from = looked < this.#wanted.length ? this.#chance(this.#wanted.length) : 0;
    for (let step = 0; step < looked && bestCount > 1; step++) {
      const index = this.#wanted[(from + step) % this.#wanted.length] as number;
      const count = this.#availability[index] as number;
      if (count >= bestCount || !this.#mayAsk(peer, index)) continue;
      if (peer.isEdge && !mayRepeat && this.neighboursWith(index) > 0) continue;
      best = index;
      bestCount = count;
    }
    if (best === undefined) return undefined;
    return this.#start(best, peer.key, peer.isSuspect).unasked(peer.blockBytes);
  }

  /** In the endgame, of a piece that another has not asked for all of yet. */
  #shared(peer: PickerPeer): BlockRange | undefined {
    if (!this.isEndgame) return undefined;
    for (const piece of this.#started.values()) {
      if (piece.isSolo || piece.isComplete || !this.#mayAsk(peer, piece.index)) continue;
      const block = piece.unasked(Math.min(peer.blockBytes, ENDGAME_BLOCK_BYTES));
      if (block) return block;
    }
    return undefined;
  }

  #duplicate(peer: PickerPeer): BlockRange | undefined {
    if (!this.isEndgame) return undefined;
    for (const piece of this.#started.values()) {
      if (piece.isSolo || piece.isComplete || !this.#mayAsk(peer, piece.index)) continue;
      const mostBytes = Math.min(peer.blockBytes, ENDGAME_BLOCK_BYTES);
      const block = piece.duplicate(peer.key, mostBytes, ENDGAME_ASKERS);
      if (block) return block;
    }
    return undefined;
  }

  #mayAsk(peer: PickerPeer, index: number): boolean {
    if (!peer.pieces.has(index)) return false;
    // Whom one would rather not ask is asked where there is nobody else.
    return !peer.avoids(index) || (this.#availability[index] as number) <= 1;
  }

  #leastAvailable(): number | undefined {
    let best: number | undefined;
    for (const index of this.#wanted.slice(0, MOST_LOOKED_AT))
      if (best === undefined || (this.#availability[index] as number) < (this.#availability[best] as number))
        best = index;
    return best;
  }

  #start(index: number, owner: PeerKey, isSolo = false): StartedPiece {
    const { length, pieceBytes } = this.#options;
    const bytes = Math.min(pieceBytes, length - index * pieceBytes);
    const piece = new StartedPiece(index, bytes, isSolo || this.#solo.has(index));
    piece.owner = owner;
    this.#started.set(index, piece);
    this.#unwant(index);
    return piece;
  }

  #want(index: number): void {
    // To a place of chance; what stood there goes to the end.
    const place = this.#chance(this.#wanted.length + 1);
    const moved = this.#wanted[place];
    if (moved !== undefined) {
      this.#place[moved] = this.#wanted.length;
      this.#wanted.push(moved);
    }
    this.#wanted[place] = index;
    this.#place[index] = place;
  }

  #unwant(index: number): void {
    const place = this.#place[index] as number;
    const last = this.#wanted.pop() as number;
    if (last !== index) {
      this.#wanted[place] = last;
      this.#place[last] = place;
    }
    this.#place[index] = -1;
  }

  #chance(below: number): number {
    return Math.floor(this.#options.random() * below);
  }
}
