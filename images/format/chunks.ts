import { createHash } from 'node:crypto';
import { type Chunk, ChunkCutter } from './chunks-cut.ts';

/**
 * Where the chunks of an artefact stand: the artefact `chunks` of a release, for its root. Big-endian:
 *
 * | bytes | what |
 * |---|---|
 * | 8 | `BSWCHNK1` |
 * | 32 | SHA-256 of the artefact |
 * | 8 | its length in bytes |
 * | 36 each | of each chunk in order: 4 bytes of length, 32 of SHA-256 |
 *
 * Hashes don't compress, so nothing is.
 */
const MAGIC = Buffer.from('BSWCHNK1', 'latin1');
const HASH_BYTES = 32;
const HEADER_BYTES = MAGIC.length + HASH_BYTES + 8;
const ENTRY_BYTES = 4 + HASH_BYTES;
/** Whoever assembles holds one in memory. More than is cut today, to leave room for other lengths. */
const MOST_CHUNK_BYTES = 1024 * 1024;
/** Of a root of 32 GiB, which nobody boots from memory, and a bound on what a hostile index makes us hold. */
const MOST_CHUNKS = 2 * 1024 * 1024;
export const MOST_CHUNK_INDEX_BYTES = HEADER_BYTES + MOST_CHUNKS * ENTRY_BYTES;

/** An index that is cut short, contradicts itself or goes beyond the limits. */
export class ChunkIndexUnreadable extends Error {
  override readonly name = 'ChunkIndexUnreadable';
}

export class ChunkIndex {
  /** Of the artefact, in hexadecimal. */
  readonly sha256: string;
  /** Bytes of the artefact. */
  readonly length: number;
  readonly count: number;
  readonly #entries: Buffer;
  /** Byte at which each chunk begins, and at last the length. */
  readonly #starts: Float64Array;

  /** @throws ChunkIndexUnreadable */
  constructor(bytes: Uint8Array) {
    const all = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    const count = (all.length - HEADER_BYTES) / ENTRY_BYTES;
    if (!isChunkIndex(all) || !Number.isInteger(count) || count < 1)
      throw new ChunkIndexUnreadable('it is no chunk index, or cut short');
    if (count > MOST_CHUNKS) throw new ChunkIndexUnreadable(`it holds more than ${MOST_CHUNKS} chunks`);
    this.sha256 = all.toString('hex', MAGIC.length, MAGIC.length + HASH_BYTES);
    this.count = count;
    this.#entries = all.subarray(HEADER_BYTES);
    this.#starts = new Float64Array(count + 1);
    let at = 0;
    for (let index = 0; index < count; index++) {
      const length = this.#entries.readUInt32BE(index * ENTRY_BYTES);
      if (length === 0 || length > MOST_CHUNK_BYTES)
        throw new ChunkIndexUnreadable(`chunk ${index} has ${length} bytes`);
      at += length;
      this.#starts[index + 1] = at;
    }
    this.length = at;
    if (BigInt(at) !== all.readBigUInt64BE(MAGIC.length + HASH_BYTES))
      throw new ChunkIndexUnreadable('its chunks are not as long together as the artefact');
  }

  /** Half-open byte range of chunk `index` in the artefact. */
  rangeOf(index: number): { readonly start: number; readonly end: number } {
    return { start: this.#starts[index] as number, end: this.#starts[index + 1] as number };
  }

  /** The 32 bytes of its SHA-256, as text of 32 characters: half the memory of hexadecimal. */
  hashOf(index: number): string {
    const start = index * ENTRY_BYTES + 4;
    return this.#entries.toString('latin1', start, start + HASH_BYTES);
  }

  /** The chunk that holds byte `at` of the artefact. */
  indexAt(at: number): number {
    let [low, high] = [0, this.count - 1];
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if ((this.#starts[middle] as number) <= at) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}

/** Whether bytes begin as a chunk index does. */
export function isChunkIndex(bytes: Uint8Array): boolean {
  return MAGIC.equals(bytes.subarray(0, MAGIC.length));
}

/** @param sha256 of the artefact that the chunks make up, in hexadecimal. */
function encodeChunkIndex(sha256: string, chunks: readonly Chunk[]): Uint8Array {
  const bytes = Buffer.alloc(HEADER_BYTES + chunks.length * ENTRY_BYTES);
  MAGIC.copy(bytes);
  bytes.write(sha256, MAGIC.length, 'hex');
  let [length, at] = [0, HEADER_BYTES];
  for (const chunk of chunks) {
    bytes.writeUInt32BE(chunk.length, at);
    bytes.set(chunk.sha256, at + 4);
    length += chunk.length;
    at += ENTRY_BYTES;
  }
  bytes.writeBigUInt64BE(BigInt(length), MAGIC.length + HASH_BYTES);
  return bytes;
}

/**
 * The index of an artefact's bytes, read once. Holds what it returns twice.
 * @returns undefined where there are more chunks than an index holds: such an artefact is fetched whole.
 */
export async function makeChunkIndex(source: AsyncIterable<Uint8Array>): Promise<Uint8Array | undefined> {
  const cutter = new ChunkCutter();
  const whole = createHash('sha256');
  const chunks: Chunk[] = [];
  for await (const part of source) {
    whole.update(part);
    for (const chunk of cutter.update(part)) chunks.push(chunk);
  }
  chunks.push(...cutter.end());
  return chunks.length > MOST_CHUNKS ? undefined : encodeChunkIndex(whole.digest('hex'), chunks);
}

export interface Delta {
  /** That an edge must get from elsewhere. */
  readonly fetchBytes: number;
  /** That it has. */
  readonly reuseBytes: number;
}

/** What an edge that holds `held` must fetch to have `wanted`. Its index and the requests come on top. */
export function deltaOf(held: readonly ChunkIndex[], wanted: ChunkIndex): Delta {
  const here = new Set<string>();
  for (const index of held) for (let at = 0; at < index.count; at++) here.add(index.hashOf(at));
  let reuseBytes = 0;
  for (let at = 0; at < wanted.count; at++) {
    const { start, end } = wanted.rangeOf(at);
    if (here.has(wanted.hashOf(at))) reuseBytes += end - start;
  }
  return { fetchBytes: wanted.length - reuseBytes, reuseBytes };
}
