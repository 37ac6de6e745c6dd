import { UNIT_BYTES } from './started-piece.ts';

/** Wrong pieces after which an address is banned, whatever else it gave. */
const MOST_STRIKES = 3;
/** Mixes that are kept until the right piece tells who spoilt them; 8 MiB of pieces of 1 MiB. */
const MOST_EVIDENCE = 8;
/** Addresses whose strikes are remembered. A segment has fewer machines. */
const MOST_ADDRESSES = 10_000;

interface Evidence {
  readonly index: number;
  readonly bytes: Uint8Array;
  /** Of each unit of 16 KiB; empty where nobody gave it. */
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

  /** Whether an address was found to lie before: what it gives is not to be mixed with what others give. */
  hasLied(address: string): boolean {
    return this.#strikes.has(address);
  }

  /**
   * An address gave wrong bytes of a piece, beyond doubt.
   * @param alone whether it gave all of the piece.
   * @param isSuspect whether it also took part in a mix of which it is not known yet who spoilt it: who lies elsewhere has
   * little claim to be thought innocent of that one.
   */
  strike(address: string, piece: string, alone: boolean, isSuspect = false): void {
    const strikes = this.#strikes.get(address) ?? { count: 0, alone: new Set() };
    if (!this.#strikes.has(address) && this.#strikes.size >= MOST_ADDRESSES) this.#forgetOldest();
    this.#strikes.set(address, strikes);
    strikes.count += 1;
    const wrong = strikes.count + (isSuspect ? 1 : 0);
    if (wrong >= MOST_STRIKES || (alone && strikes.alone.has(piece))) this.#banned.add(address);
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
 * Pieces that came wrong from several, and parts that were thrown away to be on the safe side, kept until the right piece
 * came: a unit that differs tells who lied, and whoever gave the others is free of blame.
 */
export class MixedPieces {
  #evidence: readonly Evidence[] = [];

  /** @param bytes are kept, not copied. @returns whether they are: there is room for few. */
  keep(index: number, bytes: Uint8Array, givers: readonly string[]): boolean {
    const isFull = this.#evidence.length >= MOST_EVIDENCE;
    const replaced = isFull ? this.#evidence.find((each) => each.index === index) : undefined;
    if (isFull && !replaced) return false;
    this.#evidence = [...this.#evidence.filter((each) => each !== replaced), { index, bytes, givers }];
    return true;
  }

  /** Whether an address gave a part of what is kept: it may have lied. */
  isSuspect(address: string): boolean {
    return this.#evidence.some(({ givers }) => givers.includes(address));
  }

  /** The right piece came. @returns the addresses that gave a wrong unit of it before, as often as they did. */
  liars(index: number, right: Uint8Array): readonly string[] {
    const evidence = this.#evidence.filter((each) => each.index === index);
    this.#evidence = this.#evidence.filter((each) => each.index !== index);
    return evidence.flatMap(({ bytes, givers }) => {
      const wrong = givers.filter((giver, unit) => {
        const [from, to] = [unit * UNIT_BYTES, Math.min((unit + 1) * UNIT_BYTES, right.length)];
        return giver !== '' && Buffer.compare(bytes.subarray(from, to), right.subarray(from, to)) !== 0;
      });
      return [...new Set(wrong)];
    });
  }
}
