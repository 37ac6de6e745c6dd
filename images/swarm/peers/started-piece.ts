import type { BlockRange } from './messages.ts';

/** A connected peer, to the picker: a number that is given once. */
export type PeerKey = number;

/** The block that every client serves (BEP 3), and the grain in which pieces are asked for here. */
export const UNIT_BYTES = 16 * 1024;

export interface Ask {
  readonly peer: PeerKey;
  readonly block: BlockRange;
}

const NOBODY = -1;

/** A piece of which something was asked for: what of it came, from whom, and what was asked of whom. */
export class StartedPiece {
  readonly index: number;
  readonly length: number;
  #isSolo: boolean;
  /** Who is to fetch all of it; undefined where that one left or was too slow. */
  owner: PeerKey | undefined;
  readonly #units: number;
  readonly #givers: Int32Array;
  readonly #askers: Uint8Array;
  #received = 0;
  /** Known to have nothing that is not asked for, so that nobody looks again and again. */
  #isAllAsked = false;
  #asks: Ask[] = [];

  constructor(index: number, length: number, isSolo: boolean) {
    this.index = index;
    this.length = length;
    this.#isSolo = isSolo;
    this.#units = Math.ceil(length / UNIT_BYTES);
    this.#givers = new Int32Array(this.#units).fill(NOBODY);
    this.#askers = new Uint8Array(this.#units);
  }

  /** Of one peer only, since a mix of several was wrong: nothing is shared, and nothing kept of a peer that left. */
  get isSolo(): boolean {
    return this.#isSolo;
  }

  /** Whether anyone but its owner gave a part of it. */
  get isMixed(): boolean {
    return this.#givers.some((giver) => giver !== NOBODY && giver !== this.owner);
  }

  get isComplete(): boolean {
    return this.#received === this.#units;
  }

  /** Who gave each unit of 16 KiB; a negative key where it did not come yet. */
  get givers(): readonly PeerKey[] {
    return Array.from(this.#givers);
  }

  /** The first run that neither came nor was asked for, of at most `mostBytes`. */
  unasked(mostBytes: number): BlockRange | undefined {
    if (this.#isAllAsked) return undefined;
    const run = this.#run(mostBytes, (unit) => this.#givers[unit] === NOBODY && this.#askers[unit] === 0);
    this.#isAllAsked = run === undefined;
    return run;
  }

  /** The run to ask a peer for although others were asked too: the one that fewest were asked for. */
  duplicate(peer: PeerKey, mostBytes: number, mostAskers: number): BlockRange | undefined {
    for (let askers = 1; askers < mostAskers; askers++) {
      const run = this.#run(
        mostBytes,
        (unit) =>
          this.#givers[unit] === NOBODY && this.#askers[unit] === askers && !this.#isAskedOf(peer, unit),
      );
      if (run) return run;
    }
    return undefined;
  }

  ask(peer: PeerKey, block: BlockRange): void {
    this.#asks.push({ peer, block });
    this.#count(block, 1);
  }

  /** What was asked of a peer is not expected of it any more. */
  release(peer: PeerKey, block?: BlockRange): void {
    const isGone = (ask: Ask): boolean =>
      ask.peer === peer && (block === undefined || isSame(ask.block, block));
    this.#drop(isGone);
    if (block === undefined && this.owner === peer) this.owner = undefined;
  }

  /** Is of its owner only from now on; what others gave is forgotten. @returns what others need not send any more. */
  becomeSolo(): readonly Ask[] {
    this.#isSolo = true;
    if (this.isMixed) this.restart();
    return this.#drop(({ peer }) => peer !== this.owner);
  }

  /** Forgets what came. */
  restart(): void {
    this.#givers.fill(NOBODY);
    this.#received = 0;
    this.#isAllAsked = false;
  }

  /** Runs of a block that had not come yet. */
  missingOf({ begin, length }: BlockRange): { readonly begin: number; readonly end: number }[] {
    const runs: { begin: number; end: number }[] = [];
    for (let unit = begin / UNIT_BYTES; unit * UNIT_BYTES < begin + length; unit++) {
      if (this.#givers[unit] !== NOBODY) continue;
      const [from, to] = [unit * UNIT_BYTES, Math.min((unit + 1) * UNIT_BYTES, begin + length)];
      const last = runs.at(-1);
      if (last?.end === from) last.end = to;
      else runs.push({ begin: from, end: to });
    }
    return runs;
  }

  /** A block came. @returns what others were asked for and need not send any more. */
  receive(peer: PeerKey, block: BlockRange): readonly Ask[] {
    this.#drop((ask) => ask.peer === peer && isSame(ask.block, block));
    for (let unit = block.begin / UNIT_BYTES; unit * UNIT_BYTES < block.begin + block.length; unit++) {
      if (this.#givers[unit] !== NOBODY) continue;
      this.#givers[unit] = peer;
      this.#received += 1;
    }
    return this.#drop((ask) => this.missingOf(ask.block).length === 0);
  }

  #drop(isGone: (ask: Ask) => boolean): readonly Ask[] {
    const gone = this.#asks.filter(isGone);
    if (gone.length === 0) return gone;
    this.#asks = this.#asks.filter((ask) => !gone.includes(ask));
    for (const { block } of gone) this.#count(block, -1);
    this.#isAllAsked = false;
    return gone;
  }

  #count({ begin, length }: BlockRange, by: 1 | -1): void {
    for (let unit = begin / UNIT_BYTES; unit * UNIT_BYTES < begin + length; unit++)
      this.#askers[unit] = (this.#askers[unit] as number) + by;
  }

  #isAskedOf(peer: PeerKey, unit: number): boolean {
    const at = unit * UNIT_BYTES;
    return this.#asks.some(
      ({ peer: asked, block }) => asked === peer && block.begin <= at && at < block.begin + block.length,
    );
  }

  #run(mostBytes: number, wants: (unit: number) => boolean): BlockRange | undefined {
    let first = 0;
    while (first < this.#units && !wants(first)) first += 1;
    if (first === this.#units) return undefined;
    let end = first + 1;
    while (end < this.#units && (end - first + 1) * UNIT_BYTES <= mostBytes && wants(end)) end += 1;
    const begin = first * UNIT_BYTES;
    return { index: this.index, begin, length: Math.min(end * UNIT_BYTES, this.length) - begin };
  }
}

function isSame(a: BlockRange, b: BlockRange): boolean {
  return a.begin === b.begin && a.length === b.length;
}
