import { createReadStream } from 'node:fs';
import { type Artefact, digestOf, pieceRange, sha256Of } from '@bootswarm/images/format';
import type { ArtefactFolder } from './artefact-folder.ts';

/** Where an artefact's bytes come from: the controller's HTTP now, a swarm of peers later. */
export interface ArtefactSource {
  /** The artefact's bytes from `start` on. */
  read(artefact: Artefact, start: number, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>>;
}

/** A piece came whose SHA-256 is not the manifest's. Nothing of it was kept. */
export class WrongPiece extends Error {
  override readonly name = 'WrongPiece';
  readonly index: number;

  constructor(artefact: Artefact, index: number) {
    super(`piece ${index} of ${artefact.name} has the wrong SHA-256`);
    this.index = index;
  }
}

/** All pieces were right and the whole is not: the manifest contradicts itself. */
class WrongWhole extends Error {
  override readonly name = 'WrongWhole';

  constructor({ name }: Artefact, actualSha256: string) {
    super(
      `${name} has SHA-256 ${actualSha256} although all its pieces were right: the manifest contradicts itself`,
    );
  }
}

/** Whether a fetch failed because the bytes that came are not those of the manifest. */
export function isWrongHash(error: unknown): boolean {
  return error instanceof WrongPiece || error instanceof WrongWhole;
}

export interface FetchOptions {
  readonly folder: ArtefactFolder;
  readonly source: ArtefactSource;
  readonly signal: AbortSignal;
  /** Told the bytes that are verified and stored. */
  readonly onBytes?: (bytes: number) => void;
}

/**
 * Brings an artefact into the folder, whole and verified. Each piece is checked before it is stored; pieces
 * that an earlier try left are checked again and kept.
 * @throws WrongPiece, WrongWhole, or what the source or the disk throws; the verified pieces stay for the next try.
 */
export async function fetchArtefact(artefact: Artefact, options: FetchOptions): Promise<void> {
  const { folder, source, signal, onBytes = () => {} } = options;
  if ((await folder.lengthOf(artefact.sha256)) === artefact.length) return onBytes(artefact.length);
  const kept = await keepGoodPieces(artefact, folder);
  onBytes(kept);
  if (kept < artefact.length) {
    const bytes = await source.read(artefact, kept, signal);
    const pieces = verifiedPieces(artefact, kept / artefact.pieceBytes, bytes, onBytes);
    const received = await folder.append(artefact.sha256, kept, pieces, artefact.length);
    if (received < artefact.length)
      throw new Error(`${artefact.name} ended after ${received} of ${artefact.length} bytes`);
  }
  const finish = await folder.finish(artefact.sha256);
  if (!finish.ok) throw new WrongWhole(artefact, finish.actualSha256);
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

/** Gathers `bytes` into pieces and passes on those whose hash is right. */
async function* verifiedPieces(
  artefact: Artefact,
  firstIndex: number,
  bytes: AsyncIterable<Uint8Array>,
  onBytes: (bytes: number) => void,
): AsyncGenerator<Uint8Array> {
  let index = firstIndex;
  let { start, end } = pieceRange(artefact, index);
  const piece = new Uint8Array(artefact.pieceBytes);
  let filled = 0;
  for await (const chunk of bytes) {
    for (let at = 0; at < chunk.length; ) {
      const part = chunk.subarray(at, at + end - start - filled);
      // The source sends more than the artefact holds.
      if (part.length === 0) throw new WrongPiece(artefact, index);
      piece.set(part, filled);
      at += part.length;
      filled += part.length;
      if (filled < end - start) continue;
      const whole = piece.subarray(0, filled);
      if (sha256Of(whole) !== artefact.pieces[index]) throw new WrongPiece(artefact, index);
      yield whole;
      onBytes(end);
      index += 1;
      ({ start, end } = pieceRange(artefact, index));
      filled = 0;
    }
  }
}
