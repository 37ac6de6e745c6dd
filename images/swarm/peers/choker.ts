import type { PeerKey } from './started-piece.ts';

/** What the choker must know of a peer. */
export interface SlotTaker {
  readonly key: PeerKey;
  /** Whether it wants anything that we have. */
  readonly isInterested: boolean;
  readonly isUnchoked: boolean;
  /** Since it was choked or unchoked, in milliseconds. */
  readonly sinceMs: number;
  /** Bytes that it took since the last choice. */
  readonly takenBytes: number;
  /** Pieces that it has. */
  readonly held: number;
}

/** A slot is kept at least so long: two pieces of 1 MiB at 20 Mbit/s. */
const SLOT_MS = 1000;

/**
 * Who may fetch: on a LAN everyone while there are slots, since a slot costs a choked peer nothing but its turn. Beyond
 * that, half of the slots stay with those that take most, and the others go round: to whoever has fewest pieces, then
 * to whoever waited longest, so that no machine falls behind. No I/O, no clock.
 */
export function chooseSlots(peers: readonly SlotTaker[], slots: number): ReadonlySet<PeerKey> {
  const takers = peers.filter(({ isInterested }) => isInterested);
  if (takers.length <= slots) return new Set(takers.map(({ key }) => key));
  const holders = takers.filter(({ isUnchoked }) => isUnchoked);
  const kept = holders
    .toSorted(
      (a, b) => Number(b.sinceMs < SLOT_MS) - Number(a.sinceMs < SLOT_MS) || b.takenBytes - a.takenBytes,
    )
    .filter(({ sinceMs, takenBytes }, place) => sinceMs < SLOT_MS || (place < slots / 2 && takenBytes > 0))
    .slice(0, slots);
  const waiting = takers.filter((taker) => !kept.includes(taker));
  const next = waiting.toSorted(
    (a, b) => Number(a.isUnchoked) - Number(b.isUnchoked) || a.held - b.held || b.sinceMs - a.sinceMs,
  );
  return new Set([...kept, ...next].slice(0, slots).map(({ key }) => key));
}
