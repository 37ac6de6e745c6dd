import { open } from 'node:fs/promises';
import { type Artefact, Problem, pieceRange } from '@bootswarm/images/format';
import { FilePieces } from '@bootswarm/images/swarm';
import { backoffMs } from '../backoff.ts';
import type { VerifiedPiece } from '../release-fetch.ts';
import { problem } from './problems.ts';

/** Without one more piece for so long, the installation is given up: whoever looks at the machine should find it so. */
const STALL_MINUTES = 15;
/** So many pieces in a row that are here already are taken once more: to ask anew behind them costs about as much. */
const TAKEN_AGAIN = 4;
/** A piece that comes wrong once may have been damaged on its way; so often it is what the edge has. */
const WRONG_MOST = 3;

/** Neighbours that fetch the same. */
interface Neighbours {
  /**
   * Fetches an artefact to a file, every piece verified and where it belongs, and goes on giving it to them.
   * @returns false where nothing more came.
   */
  fetch(artefact: Artefact, path: string, onBytes: FetchParts['onBytes']): Promise<boolean>;
  /** Gives nothing any more, and holds no file open. */
  end(): Promise<void>;
}

export interface FetchParts {
  /** Where enough others fetch the same. */
  readonly neighbours?: Neighbours;
  /** Verified pieces of an artefact in order, from `first` on, over HTTP. */
  readonly pieces: (artefact: Artefact, signal: AbortSignal, first: number) => AsyncIterable<VerifiedPiece>;
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
  readonly onBytes: (done: number, total: number) => void;
  /** Resolves early where the signal ends it. */
  readonly wait: (ms: number) => Promise<void>;
  /** Milliseconds, of any beginning. */
  readonly now: () => number;
}

/**
 * Hands each piece of an artefact on, in order and once; after a break it goes on with the piece that is missing.
 * @param isHere of which pieces that is not needed; a few may be handed on all the same.
 * @throws Problem piece_wrong, artefact_long, fetch_stalled; what `take` throws; the signal's reason.
 */
export async function fetchPieces(
  artefact: Artefact,
  take: (piece: VerifiedPiece) => Promise<void>,
  { pieces, say, signal, onBytes, wait, now }: FetchParts,
  isHere: (index: number) => boolean = () => false,
): Promise<void> {
  const { name, length } = artefact;
  const count = artefact.pieces.length;
  const missingFrom = (first: number): number => {
    let index = first;
    while (index < count && isHere(index)) index += 1;
    return index;
  };
  let next = missingFrom(0);
  let wrong = 0;
  let lastAt = now();
  onBytes(0, length);
  for (let failures = 0; next < count; ) {
    let isTaking = false;
    try {
      for await (const piece of pieces(artefact, signal, next)) {
        isTaking = true;
        await take(piece);
        isTaking = false;
        next = piece.index + 1;
        [failures, wrong, lastAt] = [0, 0, now()];
        onBytes(piece.start + piece.bytes.length, length);
        const missing = missingFrom(next);
        if (missing === next || (missing < count && missing <= next + TAKEN_AGAIN)) continue;
        next = missing;
        break;
      }
      // A source that ends too early says so itself; one that does not is asked again all the same.
    } catch (error) {
      signal.throwIfAborted();
      if (isTaking) throw error;
      const code = error instanceof Problem ? error.code : undefined;
      if (code === 'artefact_long') throw error;
      if (code === 'piece_wrong') {
        wrong += 1;
        if (wrong >= WRONG_MOST) throw error;
      }
      failures += 1;
      const received = next * artefact.pieceBytes;
      const reason = (error as Error).message;
      if (now() - lastAt > STALL_MINUTES * 60_000)
        throw problem('fetch_stalled', {
          facts: { name, received, length, minutes: STALL_MINUTES, reason },
          cause: error,
        });
      if (failures === 1)
        say(`${name} broke off at byte ${received} of ${length}: ${reason}. Going on from there`);
      await wait(backoffMs(Math.min(failures, 5), Math.random()));
      signal.throwIfAborted();
    }
  }
}

/**
 * Fetches an artefact to a file: of neighbours where there are some, and else, or where those have nothing to give, by HTTP.
 * @throws as fetchPieces, and what the disk throws.
 */
export async function fetchToPath(artefact: Artefact, path: string, parts: FetchParts): Promise<void> {
  const { neighbours, onBytes, signal } = parts;
  if (neighbours && artefact.infohash !== undefined) {
    if (await neighbours.fetch(artefact, path, onBytes)) return;
    signal.throwIfAborted();
  }
  // What neighbours gave, or an earlier try, is not fetched again.
  await using file = await FilePieces.resume(artefact, path, { signal });
  const take = ({ index, bytes }: VerifiedPiece): Promise<void> => file.write(index, bytes);
  await fetchPieces(artefact, take, parts, (index) => file.have.has(index));
}

/** The pieces of an artefact in order, of a file that holds all of it, verified. Each comes in the same memory. */
export async function* heldPieces(
  artefact: Artefact,
  path: string,
  first: number,
): AsyncGenerator<VerifiedPiece, void> {
  const file = await open(path, 'r');
  try {
    const memory = Buffer.allocUnsafeSlow(Math.min(artefact.pieceBytes, artefact.length));
    for (let index = first; index < artefact.pieces.length; index++) {
      const { start, end } = pieceRange(artefact, index);
      const bytes = memory.subarray(0, end - start);
      for (let filled = 0; filled < bytes.length; ) {
        const { bytesRead } = await file.read(bytes, filled, bytes.length - filled, start + filled);
        if (bytesRead === 0) throw new Error(`${path} ends at byte ${start + filled} of ${artefact.length}`);
        filled += bytesRead;
      }
      yield { index, start, bytes };
    }
  } finally {
    await file.close();
  }
}

/** Kept free beside an image in memory: for unpacking, for programs of the new system, and for the agent itself. */
const FREE_LEAST = 320 * 2 ** 20;

/** Where an image waits to be unpacked: in memory where it fits, on the new root where it does not. */
export function holdingPlace(length: number, availableBytes: number): 'memory' | 'disk' {
  return length + FREE_LEAST <= availableBytes ? 'memory' : 'disk';
}

/** What /proc/meminfo says can be had without swapping, in bytes: proc(5), `MemAvailable`. */
export function availableBytes(meminfo: string): number {
  return Number(/^MemAvailable:\s+(\d+) kB$/m.exec(meminfo)?.[1] ?? 0) * 1024;
}
