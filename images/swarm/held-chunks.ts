import { createHash } from 'node:crypto';
import { type FileHandle, open, readFile } from 'node:fs/promises';
import {
  type Artefact,
  ChunkIndex,
  ChunkIndexUnreadable,
  isChunkIndex,
  MOST_CHUNK_INDEX_BYTES,
} from '@bootswarm/images/format';
import type { ArtefactFolder } from './artefact-folder.ts';
import type { ByteRange } from './range.ts';

/** Bytes of one read, where chunks that follow each other stand so here as well. */
const READ_MOST_BYTES = 1024 * 1024;
/** Of what is held between two that are missing and is fetched with them: it spares a request. */
const JOIN_MOST_BYTES = 4096;
const NOT_HELD = -1;

/**
 * The chunks of an artefact that other artefacts of the folder hold. To be disposed of: it keeps files open, so that
 * one that is removed meanwhile is still read.
 */
export class HeldChunks {
  readonly #index: ChunkIndex;
  readonly #files: FileHandle[] = [];
  /** By chunk: which of the files holds it, or NOT_HELD, and from which byte on. */
  readonly #fileOf: Int32Array;
  readonly #offsetOf: Float64Array;
  #ahead: { readonly file: number; readonly start: number; readonly bytes: Buffer } | undefined;

  private constructor(index: ChunkIndex) {
    this.#index = index;
    this.#fileOf = new Int32Array(index.count).fill(NOT_HELD);
    this.#offsetOf = new Float64Array(index.count);
  }

  /** Looks through the indexes that the folder holds, one after the other. */
  static async find(index: ChunkIndex, folder: ArtefactFolder): Promise<HeldChunks> {
    const held = new HeldChunks(index);
    const wanted = new Map<string, number[]>();
    for (let at = 0; at < index.count; at++) {
      const hash = index.hashOf(at);
      const same = wanted.get(hash);
      if (same) same.push(at);
      else wanted.set(hash, [at]);
    }
    try {
      for await (const other of heldIndexes(folder)) {
        if (other.sha256 === index.sha256) continue;
        const file = await open(folder.pathOf(other.sha256), 'r');
        held.#take(other, held.#files.push(file) - 1, wanted);
        if (wanted.size === 0) break;
      }
      held.#join();
      return held;
    } catch (error) {
      await held[Symbol.asyncDispose]();
      throw error;
    }
  }

  #take(other: ChunkIndex, file: number, wanted: Map<string, number[]>): void {
    for (let at = 0; at < other.count; at++) {
      const hash = other.hashOf(at);
      const found = wanted.get(hash);
      if (!found) continue;
      wanted.delete(hash);
      for (const chunk of found) {
        this.#fileOf[chunk] = file;
        this.#offsetOf[chunk] = other.rangeOf(at).start;
      }
    }
  }

  get isEmpty(): boolean {
    return this.#fileOf.every((file) => file === NOT_HELD);
  }

  isHeld(chunk: number): boolean {
    return this.#fileOf[chunk] !== NOT_HELD;
  }

  /** What must be fetched from byte `from` on, ascending, none touching another. */
  missing(from: number): ByteRange[] {
    const ranges: { start: number; end: number }[] = [];
    for (let chunk = this.#index.indexAt(from); chunk < this.#index.count; chunk++) {
      if (this.isHeld(chunk)) continue;
      const { start, end } = this.#index.rangeOf(chunk);
      const last = ranges.at(-1);
      if (last?.end === start) last.end = end;
      else ranges.push({ start: Math.max(start, from), end });
    }
    return ranges;
  }

  /** Lets what is held count as missing where it lies between two that are, and is too short to be spared. */
  #join(): void {
    let missed = NOT_HELD;
    for (let chunk = 0; chunk < this.#index.count; chunk++) {
      if (this.isHeld(chunk)) continue;
      const gap = this.#index.rangeOf(chunk).start - this.#index.rangeOf(Math.max(missed, 0)).end;
      if (missed !== NOT_HELD && gap <= JOIN_MOST_BYTES) this.#fileOf.fill(NOT_HELD, missed, chunk);
      missed = chunk;
    }
  }

  /** A chunk that is held, checked by its SHA-256; undefined where it is not there as its index says. */
  async read(chunk: number): Promise<Uint8Array | undefined> {
    const { start, end } = this.#index.rangeOf(chunk);
    // A disk that can't read it any more is no reason to give up: there is a source.
    const bytes = await this.#bytes(chunk, end - start).catch(() => Buffer.alloc(0));
    const sha256 = createHash('sha256').update(bytes).digest().toString('latin1');
    return sha256 === this.#index.hashOf(chunk) ? bytes : undefined;
  }

  async #bytes(chunk: number, length: number): Promise<Buffer> {
    const [file, start] = [this.#fileOf[chunk] as number, this.#offsetOf[chunk] as number];
    const ahead = this.#ahead;
    const isAhead =
      ahead?.file === file && start >= ahead.start && start + length <= ahead.start + ahead.bytes.length;
    if (isAhead) return ahead.bytes.subarray(start - ahead.start, start - ahead.start + length);
    const bytes = Buffer.allocUnsafe(this.#lengthInARow(chunk));
    let filled = 0;
    while (filled < bytes.length) {
      const { bytesRead } = await (this.#files[file] as FileHandle).read(
        bytes,
        filled,
        bytes.length - filled,
        start + filled,
      );
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    this.#ahead = { file, start, bytes: bytes.subarray(0, filled) };
    return bytes.subarray(0, Math.min(length, filled));
  }

  /** Bytes of a chunk and of those that follow it here and there, as many as one read takes. */
  #lengthInARow(chunk: number): number {
    const { start } = this.#index.rangeOf(chunk);
    let { end } = this.#index.rangeOf(chunk);
    for (let next = chunk + 1; next < this.#index.count; next++) {
      const range = this.#index.rangeOf(next);
      const follows =
        this.#fileOf[next] === this.#fileOf[chunk] &&
        (this.#offsetOf[next] as number) - (this.#offsetOf[chunk] as number) === range.start - start;
      if (!follows || range.end - start > READ_MOST_BYTES) break;
      end = range.end;
    }
    return end - start;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#files.map((file) => file.close()));
  }
}

/** The index of an artefact, where the folder holds one that can be read and is about it. */
export async function indexOf(
  artefact: Artefact,
  indexSha256: string,
  folder: ArtefactFolder,
): Promise<ChunkIndex | undefined> {
  const index = await readIndex(folder, indexSha256);
  return index?.sha256 === artefact.sha256 && index.length === artefact.length ? index : undefined;
}

/** Of every artefact that the folder holds and has an index of. They tell by their first bytes what they are. */
async function* heldIndexes(folder: ArtefactFolder): AsyncGenerator<ChunkIndex> {
  const files = await folder.survey('whole');
  // The newest first: it is likely to hold most, in the same order.
  for (const { sha256 } of files.toSorted((a, b) => Number(b.changedAt) - Number(a.changedAt))) {
    const index = await readIndex(folder, sha256);
    if (index && (await folder.lengthOf(index.sha256)) === index.length) yield index;
  }
}

async function readIndex(folder: ArtefactFolder, sha256: string): Promise<ChunkIndex | undefined> {
  const length = await folder.lengthOf(sha256);
  if (length === undefined || length > MOST_CHUNK_INDEX_BYTES) return undefined;
  const path = folder.pathOf(sha256);
  const first = Buffer.alloc(8);
  {
    await using file = await open(path, 'r');
    await file.read(first, 0, first.length, 0);
  }
  if (!isChunkIndex(first)) return undefined;
  try {
    return new ChunkIndex(await readFile(path));
  } catch (error) {
    if (error instanceof ChunkIndexUnreadable) return undefined;
    throw error;
  }
}
