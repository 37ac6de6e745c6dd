/** Which pieces of an artefact someone has; as a bitfield on the wire (BEP 3). */
export class PieceSet {
  readonly length: number;
  readonly #bits: Uint8Array;
  #size = 0;

  /** @param length pieces of the artefact. */
  constructor(length: number) {
    this.length = length;
    this.#bits = new Uint8Array(Math.ceil(length / 8));
  }

  /** @returns undefined where a bit is set behind the last piece, or the length is wrong. */
  static fromBits(length: number, bits: Uint8Array): PieceSet | undefined {
    if (bits.length !== Math.ceil(length / 8)) return undefined;
    const behind = length % 8 === 0 ? 0 : 0xff >> (length % 8);
    if (((bits.at(-1) ?? 0) & behind) !== 0) return undefined;
    const set = new PieceSet(length);
    for (let index = 0; index < length; index++) if (isSet(bits, index)) set.add(index);
    return set;
  }

  static whole(length: number): PieceSet {
    const set = new PieceSet(length);
    for (let index = 0; index < length; index++) set.add(index);
    return set;
  }

  /** Pieces in it. */
  get size(): number {
    return this.#size;
  }

  get isWhole(): boolean {
    return this.#size === this.length;
  }

  /** One bit a piece, for a bitfield message; not to be written to. */
  get bits(): Uint8Array {
    return this.#bits;
  }

  has(index: number): boolean {
    return isSet(this.#bits, index);
  }

  /** @returns whether it was not in it before. */
  add(index: number): boolean {
    if (index >= this.length || this.has(index)) return false;
    this.#bits[index >> 3] = (this.#bits[index >> 3] as number) | (0x80 >> (index & 7));
    this.#size += 1;
    return true;
  }
}

function isSet(bits: Uint8Array, index: number): boolean {
  return ((bits[index >> 3] ?? 0) & (0x80 >> (index & 7))) !== 0;
}
