import { type Artefact, type ChunkIndex, pieceRange, sha256Of } from '@bootswarm/images/format';
import type { Fetched, FetchOptions } from './fetch-artefact.ts';
import { HeldChunks, indexOf } from './held-chunks.ts';
import { FilePieces } from './peers/piece-store.ts';
import type { Swarm } from './peers/swarm.ts';
import { WrongWhole } from './wrong-hash.ts';

/** Nothing came for so long: given up for this time. The pieces that are there stay. */
const STALL_MS = 120_000;
const LOOK_MS = 500;

export interface SwarmFetchOptions extends Omit<FetchOptions, 'source'> {
  /** Joins the swarm with what is there; the swarm is the caller's, also after the fetch. */
  readonly join: (store: FilePieces) => Swarm;
  /** Why the webseed gave nothing lately, where it did not. */
  readonly webseedError?: () => Error | undefined;
  readonly stallMs?: number;
}

/**
 * Brings an artefact into the folder out of a swarm: first what other artefacts there hold of it, then the rest from
 * peers and the swarm's webseed. The swarm goes on giving it, out of the store that it was joined with.
 * @returns what came, and the store, which is the caller's to close. It is closed where this throws.
 * @throws what the store or the swarm throws; what the webseed threw last, where nothing came for too long; WrongWhole.
 */
export async function fetchBySwarm(
  artefact: Artefact,
  options: SwarmFetchOptions,
): Promise<{ readonly fetched: Fetched; readonly store: FilePieces }> {
  const { folder, chunks, signal, join, onMoved } = options;
  const store = await FilePieces.resume(artefact, folder.partialPathOf(artefact.sha256), { signal });
  let swarm: Swarm | undefined;
  try {
    const keptBytes = bytesOf(artefact, store);
    const index = chunks === undefined ? undefined : await indexOf(artefact, chunks, folder);
    const reusedBytes = index ? await reuse(artefact, index, store, options) : 0;
    onMoved?.('reused', reusedBytes);
    swarm = join(store);
    await watched(swarm, options);
    const finish = await folder.finish(artefact.sha256);
    if (!finish.ok) throw new WrongWhole(artefact, finish.actualSha256);
    return { fetched: { fetchedBytes: swarm.stats().downloaded, reusedBytes, keptBytes }, store };
  } catch (error) {
    swarm?.leave();
    await store[Symbol.asyncDispose]();
    throw error;
  }
}

/** Bytes of the pieces that other artefacts of the folder hold in part, and of those of which nothing is there. */
export async function lackOf(
  artefact: Artefact,
  { folder, chunks }: Pick<FetchOptions, 'folder' | 'chunks'>,
): Promise<{ readonly byRanges: number; readonly byPieces: number }> {
  const index = chunks === undefined ? undefined : await indexOf(artefact, chunks, folder);
  if (!index) return { byRanges: artefact.length, byPieces: artefact.length };
  await using held = await HeldChunks.find(index, folder);
  const missing = held.missing(0);
  const pieces = new Set<number>();
  let [byRanges, byPieces] = [0, 0];
  for (const { start, end } of missing) {
    byRanges += end - start;
    for (let piece = Math.floor(start / artefact.pieceBytes); piece * artefact.pieceBytes < end; piece++)
      pieces.add(piece);
  }
  for (const piece of pieces) {
    const { start, end } = pieceRange(artefact, piece);
    byPieces += end - start;
  }
  return { byRanges, byPieces };
}

/** Puts the pieces together of which other artefacts hold all. @returns their bytes. */
async function reuse(
  artefact: Artefact,
  index: ChunkIndex,
  store: FilePieces,
  { folder, signal }: SwarmFetchOptions,
): Promise<number> {
  await using held = await HeldChunks.find(index, folder);
  if (held.isEmpty) return 0;
  const memory = new Uint8Array(Math.min(artefact.pieceBytes, artefact.length));
  let reused = 0;
  for (const [piece, sha256] of artefact.pieces.entries()) {
    if (store.have.has(piece)) continue;
    signal.throwIfAborted();
    const { start, end } = pieceRange(artefact, piece);
    const bytes = memory.subarray(0, end - start);
    if (!(await gather(index, held, start, bytes)) || sha256Of(bytes) !== sha256) continue;
    await store.write(piece, bytes);
    reused += bytes.length;
  }
  return reused;
}

/** Fills `bytes` from byte `start` of the artefact on. @returns whether all of it is held. */
async function gather(
  index: ChunkIndex,
  held: HeldChunks,
  start: number,
  bytes: Uint8Array,
): Promise<boolean> {
  for (let at = 0; at < bytes.length; ) {
    const chunk = index.indexAt(start + at);
    const range = index.rangeOf(chunk);
    const found = held.isHeld(chunk) ? await held.read(chunk) : undefined;
    if (!found) return false;
    const part = found.subarray(start + at - range.start).subarray(0, bytes.length - at);
    bytes.set(part, at);
    at += part.length;
  }
  return true;
}

/** Resolves when the swarm has everything. Tells what came meanwhile. */
async function watched(
  swarm: Swarm,
  { onMoved, webseedError, signal, stallMs = STALL_MS }: SwarmFetchOptions,
): Promise<void> {
  let [told, sinceMs, pieces] = [0, performance.now(), -1];
  const tell = (): void => {
    const { downloaded } = swarm.stats();
    onMoved?.('fetched', downloaded - told);
    told = downloaded;
  };
  const stalled = Promise.withResolvers<never>();
  const timer = setInterval(() => {
    tell();
    const stats = swarm.stats();
    if (stats.pieces !== pieces) [pieces, sinceMs] = [stats.pieces, performance.now()];
    if (performance.now() - sinceMs < stallMs) return;
    const seconds = Math.round(stallMs / 1000);
    const why = new Error(`nothing came for ${seconds} s from ${stats.peers.length} peers`);
    stalled.reject(webseedError?.() ?? why);
  }, LOOK_MS);
  const leave = (): void => swarm.leave();
  signal.addEventListener('abort', leave, { once: true });
  if (signal.aborted) leave();
  try {
    await Promise.race([swarm.completed, stalled.promise]);
  } finally {
    clearInterval(timer);
    signal.removeEventListener('abort', leave);
    tell();
  }
}

function bytesOf(artefact: Artefact, { have }: FilePieces): number {
  let bytes = 0;
  for (let piece = 0; piece < artefact.pieces.length; piece++) {
    const { start, end } = pieceRange(artefact, piece);
    if (have.has(piece)) bytes += end - start;
  }
  return bytes;
}
