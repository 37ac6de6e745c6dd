import { createHash, type Hash } from 'node:crypto';

/** Bytes of a chunk. Measured: images/decisions/0009-roots-share-chunks.md. */
export const CHUNK_BYTES = { least: 4 * 1024, average: 16 * 1024, most: 128 * 1024 } as const;

export interface Chunk {
  /** Bytes. */
  readonly length: number;
  /** 32 bytes. */
  readonly sha256: Uint8Array;
}

/** A bit of the hash is shifted out after as many bytes. */
const WINDOW_BYTES = 32;

/**
 * A border is where the top bits of the rolling hash are all 0, once in `average - least` bytes by chance. The hash
 * shifts left with every byte, so it depends on the 32 bytes before and on nothing else.
 */
const BORDER_MASK = -(2 ** (32 - Math.log2(CHUNK_BYTES.average))) | 0;

/**
 * A number by chance for each byte, from a seed: who changes it, the mask or the lengths shares nothing with what was
 * cut before. A test holds them.
 */
const GEAR = Int32Array.from({ length: 256 }, (_, byte) =>
  createHash('sha256').update(`bootswarm chunks 1 ${byte}`).digest().readInt32BE(0),
);

/**
 * Cuts bytes where their content says so, not where a count does: what was moved is cut as before (gear hash; Xia and
 * others, "FastCDC", USENIX ATC 2016, section 3). In flat memory.
 */
export class ChunkCutter {
  #hash: Hash = createHash('sha256');
  #length = 0;
  #rolling = 0;

  /** Takes the next bytes. @returns the chunks that they complete. */
  update(bytes: Uint8Array): Chunk[] {
    const chunks: Chunk[] = [];
    for (let from = 0; from < bytes.length; ) {
      const { end, isBorder } = this.#roll(bytes, from);
      this.#hash.update(bytes.subarray(from, end));
      this.#length += end - from;
      from = end;
      if (isBorder) chunks.push(this.#endChunk());
    }
    return chunks;
  }

  /** The last chunk; to be called once, at the end of the bytes. */
  end(): Chunk[] {
    return this.#length > 0 ? [this.#endChunk()] : [];
  }

  /** How far the chunk that gathers reaches into `bytes` from `from` on, and whether it ends there. */
  #roll(bytes: Uint8Array, from: number): { readonly end: number; readonly isBorder: boolean } {
    const start = from - this.#length;
    const most = start + CHUNK_BYTES.most;
    const end = Math.min(bytes.length, most);
    const least = start + CHUNK_BYTES.least;
    let rolling = this.#rolling;
    // Where no border may be yet, only the bytes count that the hash at the first possible one depends on.
    for (let at = Math.max(from, least - WINDOW_BYTES); at < end; at++) {
      rolling = ((rolling << 1) + (GEAR[bytes[at] as number] as number)) | 0;
      if ((rolling & BORDER_MASK) === 0 && at + 1 >= least) return { end: at + 1, isBorder: true };
    }
    this.#rolling = rolling;
    return { end, isBorder: end === most };
  }

  #endChunk(): Chunk {
    const chunk = { length: this.#length, sha256: this.#hash.digest() };
    this.#hash = createHash('sha256');
    this.#length = 0;
    this.#rolling = 0;
    return chunk;
  }
}
