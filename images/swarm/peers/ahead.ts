/** How much is asked before what was asked for has come. No I/O, no clock. */

/** What is asked of one peer: what it sends in this time, between these bounds. */
const AHEAD_SECONDS = 0.3;
const LEAST_AHEAD_BYTES = 1024 * 1024;
const LEAST_AHEAD_PIECES = 2;
const MOST_AHEAD_BYTES = 4 * 1024 * 1024;
/**
 * What is asked of all neighbours together: what comes in this time, or so many pieces. More of it meets in the last
 * switch before this machine: of two pieces from each of 15 neighbours TCP sent 24 % again, and nothing came sooner.
 */
const ALL_AHEAD_SECONDS = 0.5;
const LEAST_AHEAD_OF_ALL = 8;
/** Who sent nothing for so long does not count: nobody waits for those that were switched off. */
const STILL_MS = 1000;

/** What must be known of a peer that blocks are asked of. */
interface AskedPeer {
  readonly isEdge: boolean;
  readonly askedBytes: number;
  /** When it last sent what is worth waiting for, or was first asked. */
  readonly blockAtMs: number;
  readonly down: { readonly perSecond: number };
}

/** Bytes that one peer may have been asked for. @param blockBytes the largest block that it serves. */
export function mostAheadBytes(
  { down, blockBytes }: Pick<AskedPeer, 'down'> & { readonly blockBytes: number },
  pieceBytes: number,
): number {
  const request = Math.min(blockBytes, pieceBytes);
  const least = Math.min(LEAST_AHEAD_PIECES * pieceBytes, Math.max(LEAST_AHEAD_BYTES, 2 * request));
  return Math.min(MOST_AHEAD_BYTES, Math.max(least, request + down.perSecond * AHEAD_SECONDS));
}

/** Bytes that neighbours may be asked for beside what they are, all together. */
export function roomBytes(peers: Iterable<AskedPeer>, pieceBytes: number, nowMs: number): number {
  let [asked, perSecond] = [0, 0];
  for (const { isEdge, askedBytes, blockAtMs, down } of peers) {
    perSecond += down.perSecond;
    if (!isEdge && nowMs - blockAtMs < STILL_MS) asked += askedBytes;
  }
  return Math.max(LEAST_AHEAD_OF_ALL * pieceBytes, perSecond * ALL_AHEAD_SECONDS) - asked;
}

/** Whether less is asked of neighbours than what comes in a moment, so that the edge had better give what they have too. */
export function isHungry(peers: Iterable<AskedPeer>, pieceBytes: number): boolean {
  let [asked, perSecond] = [0, 0];
  for (const { isEdge, askedBytes, down } of peers) {
    perSecond += down.perSecond;
    if (!isEdge) asked += askedBytes;
  }
  const least = Math.min(LEAST_AHEAD_BYTES, LEAST_AHEAD_PIECES * pieceBytes);
  return asked < Math.max(least, perSecond * AHEAD_SECONDS);
}

/**
 * Whether neighbours that fetch too have more on average: who is behind asks the edge for what they have as well. Of 16
 * machines the last was done 2.6 s after the half of them, and 0.4 and 0.6 s with it, for half an image more of the edge.
 */
export function isBehind(
  peers: Iterable<{
    readonly isEdge: boolean;
    readonly pieces: { readonly size: number; readonly isWhole: boolean };
  }>,
  heldPieces: number,
): boolean {
  let [neighbours, held] = [0, 0];
  for (const { isEdge, pieces } of peers) {
    if (isEdge || pieces.isWhole) continue;
    neighbours += 1;
    held += pieces.size;
  }
  return heldPieces * neighbours < held;
}

/** Milliseconds after which comes what is asked for, by how much is asked for and how fast it comes. */
export function usualMs(peers: Iterable<AskedPeer>): number {
  let [asked, perSecond] = [0, 0];
  for (const { askedBytes, down } of peers) {
    asked += askedBytes;
    perSecond += down.perSecond;
  }
  return asked === 0 ? 0 : (asked / perSecond) * 1000;
}
