import { UNIT_BYTES } from './started-piece.ts';

/** Wrong pieces after which an address is banned, whatever else it gave. */
const MOST_STRIKES = 3;
/** Wrong mixes that are kept until the right piece tells who spoilt them; 8 MiB of pieces of 1 MiB. */
const MOST_EVIDENCE = 8;
/** Addresses whose strikes are remembered. A segment has fewer machines. */
const MOST_ADDRESSES = 10_000;

interface Evidence {
  readonly bytes: Uint8Array;
  /** Of each unit of 16 KiB. */
  readonly givers: readonly string[];
}

interface Strikes {
  count: number;
  /** Pieces, as `swarm:index`, that the address alone gave wrongly. */
  readonly alone: Set<string>;
}

/** Who gave wrong bytes, by address: it outlives connections, and is shared by the swarms of a node. No I/O. */
export class Blame {
  readonly #strikes = new Map<string, Strikes>();
  readonly #banned = new Set<string>();

  get banned(): readonly string[] {
    return [...this.#banned];
  }

  isBanned(address: string): boolean {
    return this.#banned.has(address);
  }

  /** An address gave wrong bytes of a piece, beyond doubt. @param alone whether it gave all of the piece. */
  strike(address: string, piece: string, alone: boolean): void {
    const strikes = this.#strikes.get(address) ?? { count: 0, alone: new Set() };
    if (!this.#strikes.has(address) && this.#strikes.size >= MOST_ADDRESSES) this.#forgetOldest();
    this.#strikes.set(address, strikes);
    strikes.count += 1;
    if (strikes.count >= MOST_STRIKES || (alone && strikes.alone.has(piece))) this.#banned.add(address);
    if (alone) strikes.alone.add(piece);
  }

  #forgetOldest(): void {
    for (const address of this.#strikes.keys()) {
      this.#strikes.delete(address);
      return;
    }
  }
}

/**
 * Wrong pieces that came from several, kept until the right one came: the unit that differs tells who lied, and whoever
 * gave the others is free of blame.
 */
export class MixedPieces {
  readonly #evidence = new Map<number, Evidence>();

  /** @param bytes are kept, not copied. @returns whether they are: there is room for few. */
  keep(index: number, bytes: Uint8Array, givers: readonly string[]): boolean {
    if (this.#evidence.size >= MOST_EVIDENCE && !this.#evidence.has(index)) return false;
    this.#evidence.set(index, { bytes, givers });
    return true;
  }

  /** The right piece came. @returns the addresses that gave a wrong unit of it before, each once. */
  liars(index: number, right: Uint8Array): readonly string[] {
    const evidence = this.#evidence.get(index);
    if (!evidence) return [];
    this.#evidence.delete(index);
    const { bytes, givers } = evidence;
    const wrong = givers.filter((_, unit) => {
      const [from, to] = [unit * UNIT_BYTES, Math.min((unit + 1) * UNIT_BYTES, right.length)];
      return Buffer.compare(bytes.subarray(from, to), right.subarray(from, to)) !== 0;
    });
    return [...new Set(wrong)];
  }
}
