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

/** How much of its link a machine uses, and how much is left to fetch. */
interface LinkUse {
  /** Bytes a second that come from all peers. */
  readonly perSecond: number;
  /** The most that ever came. */
  readonly bestPerSecond: number;
  readonly missingBytes: number;
  /** Milliseconds since the edge gave something. */
  readonly edgeIdleMs: number;
}

/** What comes in this time is the last of it: who waits for a slow neighbour then is done later than all others. */
const LAST_SECONDS = 1;
/** Where neighbours are all slow nobody knows what the link can do: one piece of the edge's in this time tells. */
const PROBE_MS = 1000;

/**
 * Whether the edge had better give what neighbours have too. Where it did so only for machines that had next to nothing
 * under way, 16 machines used 0.88 of their links, with the edge's at 0.2, and took 1.33 times the limit; now 0.95, with
 * the edge's at 0.9, and 1.2. Where neighbours fill the link, the edge is spared; a twentieth below the best was let pass
 * once, and those whom it befell were the last.
 */
export function needsEdge({ perSecond, bestPerSecond, missingBytes, edgeIdleMs }: LinkUse): boolean {
  const isLast = missingBytes < LAST_SECONDS * bestPerSecond;
  return isLast || perSecond < bestPerSecond || edgeIdleMs > PROBE_MS;
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
