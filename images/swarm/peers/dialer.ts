import type { Endpoint } from './link.ts';

/** Addresses that are kept to try. A segment has fewer machines; a tracker that names more is not believed. */
const MOST_CANDIDATES = 1000;
const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 60_000;

interface Candidate {
  readonly endpoint: Endpoint;
  isInUse: boolean;
  nextAtMs: number;
  waitMs: number;
}

/** Whom to connect to, and when again after it failed. No I/O, no clock. */
export class Dialer {
  readonly #candidates = new Map<string, Candidate>();

  add(endpoint: Endpoint): void {
    const key = keyOf(endpoint);
    if (this.#candidates.has(key) || this.#candidates.size >= MOST_CANDIDATES) return;
    this.#candidates.set(key, { endpoint, isInUse: false, nextAtMs: 0, waitMs: FIRST_WAIT_MS });
  }

  /** Up to `most` to connect to now; each is in use until it is `over`. */
  due(most: number, nowMs: number): readonly Endpoint[] {
    const due: Endpoint[] = [];
    for (const candidate of this.#candidates.values()) {
      if (due.length >= most) break;
      if (candidate.isInUse || candidate.nextAtMs > nowMs) continue;
      candidate.isInUse = true;
      due.push(candidate.endpoint);
    }
    return due;
  }

  /** A connection ended. @param hasWorked whether both sides had greeted: then it is tried again soon. */
  over(endpoint: Endpoint, hasWorked: boolean, nowMs: number): void {
    const candidate = this.#candidates.get(keyOf(endpoint));
    if (!candidate) return;
    candidate.isInUse = false;
    candidate.waitMs = hasWorked ? FIRST_WAIT_MS : Math.min(LONGEST_WAIT_MS, 2 * candidate.waitMs);
    candidate.nextAtMs = nowMs + candidate.waitMs;
  }

  /** Never again. */
  forget(isGone: (endpoint: Endpoint) => boolean): void {
    for (const [key, { endpoint }] of this.#candidates) if (isGone(endpoint)) this.#candidates.delete(key);
  }
}

function keyOf({ host, port }: Endpoint): string {
  return `${host} ${port}`;
}
