import { createReadStream } from 'node:fs';
import { type Artefact, type ChunkIndex, digestOf, pieceRange, sha256Of } from '@bootswarm/images/format';
import type { ArtefactFolder } from './artefact-folder.ts';
import { type ArtefactSource, ByteReader, readRanges } from './artefact-source.ts';
import { HeldChunks, indexOf } from './held-chunks.ts';
import type { ByteRange } from './range.ts';
import { WrongPiece, WrongWhole } from './wrong-hash.ts';

/** Of one request, where several are under way. */
const READ_MOST_BYTES = 8 * 1024 * 1024;

export interface FetchOptions {
  readonly folder: ArtefactFolder;
  readonly source: ArtefactSource;
  readonly signal: AbortSignal;
  /**
   * SHA-256 of the artefact's chunk index, which should be in the folder: what other artefacts there hold of it is then
   * copied from them. One that is not there, can't be read or lies costs bytes, never a wrong artefact.
   */
  readonly chunks?: string | undefined;
  /** Told of every part of it that moved, whatever comes of the fetch. */
  readonly onMoved?: (how: 'fetched' | 'reused', bytes: number) => void;
}

/** Where the bytes of an artefact came from in this try, in bytes. */
export interface Fetched {
  /** From the source, wrong ones and the other half of a broken connection as well. */
  readonly fetchedBytes: number;
  /** From other artefacts of the folder. */
  readonly reusedBytes: number;
  /** Left by an earlier try. */
  readonly keptBytes: number;
}

/**
 * Brings an artefact into the folder, whole and verified. Each piece is checked before it is stored; pieces
 * that an earlier try left are checked again and kept.
 * @throws WrongPiece, WrongWhole, or what the source or the disk throws; the verified pieces stay for the next try.
 */
export async function fetchArtefact(artefact: Artefact, options: FetchOptions): Promise<Fetched> {
  const { folder, chunks } = options;
  if ((await folder.lengthOf(artefact.sha256)) === artefact.length)
    return { fetchedBytes: 0, reusedBytes: 0, keptBytes: artefact.length };
  const kept = await keepGoodPieces(artefact, folder);
  const fetch = new Fetch(artefact, options);
  if (kept < artefact.length) {
    const index = chunks === undefined ? undefined : await indexOf(artefact, chunks, folder);
    await using held = index && (await HeldChunks.find(index, folder));
    const pieces = fetch.pieces(kept, index && held && { index, held });
    await folder.append(artefact.sha256, kept, pieces, artefact.length);
  }
  const finish = await folder.finish(artefact.sha256);
  if (!finish.ok) throw new WrongWhole(artefact, finish.actualSha256);
  return { ...fetch.fetched, keptBytes: kept };
}

/** Bytes at the front of the partial file that are whole, right pieces; the rest is cut off. */
async function keepGoodPieces(artefact: Artefact, folder: ArtefactFolder): Promise<number> {
  const received = await folder.receivedBytes(artefact.sha256);
  if (received === 0) return 0;
  const partial = createReadStream(folder.partialPathOf(artefact.sha256));
  const { pieces } = await digestOf(partial, () => {}, artefact.pieceBytes);
  const firstBad = artefact.pieces.findIndex((sha256, index) => pieces[index] !== sha256);
  const kept = firstBad === -1 ? artefact.length : pieceRange(artefact, firstBad).start;
  await folder.truncate(artefact.sha256, kept);
  return kept;
}

interface Reuse {
  readonly index: ChunkIndex;
  readonly held: HeldChunks;
}

/** One try to gather the pieces of an artefact. */
class Fetch {
  readonly #artefact: Artefact;
  readonly #options: FetchOptions;
  #fetchedBytes = 0;
  #reusedBytes = 0;

  constructor(artefact: Artefact, options: FetchOptions) {
    this.#artefact = artefact;
    this.#options = options;
  }

  get fetched(): Pick<Fetched, 'fetchedBytes' | 'reusedBytes'> {
    return { fetchedBytes: this.#fetchedBytes, reusedBytes: this.#reusedBytes };
  }

  /** Those from byte `from` on, in order, each verified: what is held is copied, the rest comes from the source. */
  async *pieces(from: number, reuse: Reuse | undefined): AsyncGenerator<Uint8Array> {
    const { length, pieceBytes, pieces } = this.#artefact;
    const missing = reuse?.held.missing(from).flatMap(inParts) ?? [{ start: from, end: length }];
    await using reader = this.#read(missing);
    const memory = new Uint8Array(Math.min(pieceBytes, length));
    for (let index = from / pieceBytes; index < pieces.length; index++) {
      const range = pieceRange(this.#artefact, index);
      const piece = memory.subarray(0, range.end - range.start);
      const reused = await this.#gather(piece, range.start, reader, reuse);
      if (this.#isRight(piece, index)) this.#reuse(reused);
      else if (reused > 0) await this.#fetchWhole(piece, index);
      else throw new WrongPiece(this.#artefact, index);
      yield piece;
    }
    await reader.end();
  }

  /** @returns how many bytes of the piece were copied from what is held, or should have been. */
  async #gather(piece: Uint8Array, start: number, reader: ByteReader, reuse?: Reuse): Promise<number> {
    if (!reuse) {
      await reader.fill(piece);
      return 0;
    }
    const { index, held } = reuse;
    let reused = 0;
    for (let at = 0; at < piece.length; ) {
      const chunk = index.indexAt(start + at);
      const range = index.rangeOf(chunk);
      const part = piece.subarray(at, range.end - start);
      if (held.isHeld(chunk)) {
        const bytes = await held.read(chunk);
        // Where it is not what its index says, what stands there makes the piece a wrong one.
        if (bytes) part.set(bytes.subarray(start + at - range.start).subarray(0, part.length));
        reused += part.length;
      } else await reader.fill(part);
      at += part.length;
    }
    return reused;
  }

  /** Of a piece that what is held spoilt: the index lies, or the disk does. */
  async #fetchWhole(piece: Uint8Array, index: number): Promise<void> {
    await using reader = this.#read([pieceRange(this.#artefact, index)]);
    await reader.fill(piece);
    await reader.end();
    if (!this.#isRight(piece, index)) throw new WrongPiece(this.#artefact, index);
  }

  #reuse(bytes: number): void {
    this.#reusedBytes += bytes;
    this.#options.onMoved?.('reused', bytes);
  }

  #isRight(piece: Uint8Array, index: number): boolean {
    return sha256Of(piece) === this.#artefact.pieces[index];
  }

  #read(ranges: readonly ByteRange[]): ByteReader {
    const { source, signal } = this.#options;
    return new ByteReader(this.#counted(readRanges(this.#artefact, ranges, source, signal)));
  }

  async *#counted(parts: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
    for await (const bytes of parts) {
      this.#fetchedBytes += bytes.length;
      this.#options.onMoved?.('fetched', bytes.length);
      yield bytes;
    }
  }
}

/** Cuts a range so that those asked for ahead don't wait for longer than a source keeps a connection open. */
function inParts({ start, end }: ByteRange): ByteRange[] {
  const count = Math.ceil((end - start) / READ_MOST_BYTES);
  return Array.from({ length: count }, (_, part) => ({
    start: start + part * READ_MOST_BYTES,
    end: Math.min(end, start + (part + 1) * READ_MOST_BYTES),
  }));
}
