import type { FileHandle } from 'node:fs/promises';
import { type Artefact, Problem } from '@bootswarm/images/format';
import { backoffMs } from '../backoff.ts';
import type { VerifiedPiece } from '../release-fetch.ts';
import { problem } from './problems.ts';

/** Without one more piece for so long, the installation is given up: whoever looks at the machine should find it so. */
const STALL_MINUTES = 15;
/** A piece that comes wrong once may have been damaged on its way; so often it is what the edge has. */
const WRONG_MOST = 3;

export interface FetchParts {
  /** Verified pieces of an artefact in order, from `first` on: over HTTP here, by the swarm later. */
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
 * @throws Problem piece_wrong, artefact_long, fetch_stalled; what `take` throws; the signal's reason.
 */
export async function fetchPieces(
  artefact: Artefact,
  take: (piece: VerifiedPiece) => Promise<void>,
  { pieces, say, signal, onBytes, wait, now }: FetchParts,
): Promise<void> {
  const { name, length } = artefact;
  let next = 0;
  let wrong = 0;
  let lastAt = now();
  onBytes(0, length);
  for (let failures = 0; next < artefact.pieces.length; ) {
    let isTaking = false;
    try {
      for await (const piece of pieces(artefact, signal, next)) {
        isTaking = true;
        await take(piece);
        isTaking = false;
        next = piece.index + 1;
        [failures, wrong, lastAt] = [0, 0, now()];
        onBytes(piece.start + piece.bytes.length, length);
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

/** Writes an artefact to a file, piece by piece. @throws as fetchPieces, and what the disk throws. */
export async function fetchToFile(artefact: Artefact, file: FileHandle, parts: FetchParts): Promise<void> {
  await fetchPieces(
    artefact,
    async ({ bytes, start }) => {
      for (let done = 0; done < bytes.length; ) {
        const { bytesWritten } = await file.write(bytes, done, bytes.length - done, start + done);
        done += bytesWritten;
      }
    },
    parts,
  );
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
