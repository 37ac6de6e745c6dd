import type { RateView } from '../decide/rates.ts';

const WINDOW_MS = 1000;

/** Counts by the second. Takes no more room than the messages of one second. */
export class MessageRates implements RateView {
  #counts = new Map<string, number>();
  #windowAtMs = 0;

  exceeds(key: string, most: number, nowMs: number): boolean {
    // A clock that was set back begins anew, too.
    if (nowMs - this.#windowAtMs >= WINDOW_MS || nowMs < this.#windowAtMs) {
      this.#counts = new Map();
      this.#windowAtMs = nowMs;
    }
    const count = (this.#counts.get(key) ?? 0) + 1;
    this.#counts.set(key, count);
    return count > most;
  }
}
