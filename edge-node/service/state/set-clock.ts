/** A smaller step is what keeping time takes: leases follow it. */
const SET_MS = 60_000;

/**
 * Tells when somebody set the host's clock, by one that nobody sets. A machine whose battery is empty begins years ago,
 * and is put right once it has a network: its leases must not be over by that, nor last for years. No I/O.
 */
export class SetClock {
  #aheadMs: number;

  /** @param wallMs of Unix time. @param steadyMs of a clock that only goes on, from wherever it began. */
  constructor(wallMs: number, steadyMs: number) {
    this.#aheadMs = wallMs - steadyMs;
  }

  /** Milliseconds by which it was set since it was looked at last; 0 where it was not. */
  setBy(wallMs: number, steadyMs: number): number {
    const aheadMs = wallMs - steadyMs;
    const byMs = aheadMs - this.#aheadMs;
    this.#aheadMs = aheadMs;
    return Math.abs(byMs) < SET_MS ? 0 : byMs;
  }
}
