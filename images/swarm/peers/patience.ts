/** What is known of a connected peer's doings, in milliseconds since each. */
export interface Doings {
  /** Since any byte came from it. */
  readonly silentMs: number;
  /** Since any byte was sent to it. */
  readonly unsentMs: number;
  /** Bytes that wait for it to read them. */
  readonly unreadBytes: number;
  /** Since it sent what is worth waiting for, or was first asked. */
  readonly idleMs: number;
  /** What is asked of a peer comes so long after that, of all peers together. */
  readonly usualMs: number;
  /** Whether it was asked for blocks that it owes. */
  readonly owes: boolean;
  readonly isSnubbed: boolean;
}

/** What is due about a peer. `snub`: it is passed over. `trust`: it is asked again. */
type Due = 'close' | 'keepalive' | 'snub' | 'trust';

const SILENCE_MS = 120_000;
/** Keepalives go out in time for peers that hold it as we do (BEP 3: "generally sent once every two minutes"). */
const KEEPALIVE_MS = 60_000;
/** Messages for a peer that does not read them; blocks are held back long before. */
const MOST_UNREAD_BYTES = 4 * 1024 * 1024;
/** A peer that owes blocks and sends nothing worth waiting for is passed over so soon, and asked again so late. */
const SNUB_MS = 4000;
const TRUST_MS = 15_000;
/**
 * Where links are slow and neighbours many, so much later than usual. 32 machines behind 2.5 Mbit/s each, where pieces
 * take four seconds, passed over one another 180 times, and fetched a fifth of the image twice.
 */
const TIMES_USUAL = 3;

/** What a peer's silence asks for. No I/O, no clock. */
export function dueOf(doings: Doings): readonly Due[] {
  if (doings.silentMs > SILENCE_MS || doings.unreadBytes > MOST_UNREAD_BYTES) return ['close'];
  const due: Due[] = doings.unsentMs > KEEPALIVE_MS ? ['keepalive'] : [];
  const snubMs = Math.min(TRUST_MS, Math.max(SNUB_MS, TIMES_USUAL * doings.usualMs));
  if (!doings.isSnubbed && doings.owes && doings.idleMs > snubMs) due.push('snub');
  if (doings.isSnubbed && doings.idleMs > TRUST_MS) due.push('trust');
  return due;
}
