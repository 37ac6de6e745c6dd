import type { SwarmStats } from '@bootswarm/images/swarm';

/** Whoever has just come, and was told of this machine by the tracker, has so long to take something. */
const GRACE_MS = 3_000;

/** How long a machine that has all of an artefact goes on giving it. */
export interface Patience {
  /** Neighbours that fetch and take nothing for so long get it elsewhere, or are gone. */
  readonly idleMs: number;
  /** The same where nobody fetches. */
  readonly aloneMs: number;
  /** In any case. */
  readonly mostMs: number;
}

/** Of a machine that has nothing else to do, but to reboot. */
export const BEFORE_REBOOT: Patience = { idleMs: 20_000, aloneMs: GRACE_MS, mostMs: 10 * 60_000 };
/** Of one that runs from memory: others may come, and giving costs it some memory alone. */
export const BESIDE_LIVE: Patience = { idleMs: 600_000, aloneMs: 600_000, mostMs: 24 * 3_600_000 };

/** A machine that has all of an artefact, at one moment. */
export interface Giving {
  /** Connected neighbours that still fetch. */
  readonly fetching: number;
  /** Since the last byte was given. */
  readonly idleMs: number;
  /** Since the machine had nothing else to do. */
  readonly waitedMs: number;
}

/** Whether the neighbours can do without a machine: none of those that fetch takes anything from it. Pure. */
export function isSpared({ fetching, idleMs, waitedMs }: Giving, patience: Patience): boolean {
  if (waitedMs >= patience.mostMs) return true;
  return waitedMs >= GRACE_MS && idleMs >= (fetching === 0 ? patience.aloneMs : patience.idleMs);
}

/** Neighbours of a swarm that lack something. An edge is nobody's machine. */
export function fetchingPeers({ peers, pieceCount }: Pick<SwarmStats, 'peers' | 'pieceCount'>): number {
  return peers.filter(({ isEdge, pieces }) => !isEdge && pieces < pieceCount).length;
}
