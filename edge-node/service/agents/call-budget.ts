/** Machines that are counted at once; beyond them the longest unheard is forgotten. */
const MACHINES_MOST = 10_000;

interface Account {
  readonly left: number;
  readonly atMs: number;
}

/** How often each machine may call: so many at once, and as many again each minute. */
export class CallBudget {
  readonly perMinute: number;
  readonly #accounts = new Map<string, Account>();

  constructor(perMinute: number) {
    this.perMinute = perMinute;
  }

  /** Whether one more call is within the budget; it is counted then. */
  take(mac: string, nowMs: number): boolean {
    const { left, atMs } = this.#accounts.get(mac) ?? { left: this.perMinute, atMs: nowMs };
    const earned = (Math.max(0, nowMs - atMs) / 60_000) * this.perMinute;
    const now = Math.min(this.perMinute, left + earned);
    // Put in anew, so that the first of the map is the longest unheard.
    this.#accounts.delete(mac);
    this.#accounts.set(mac, { left: now < 1 ? now : now - 1, atMs: nowMs });
    if (this.#accounts.size > MACHINES_MOST) {
      const [oldest] = this.#accounts.keys();
      if (oldest !== undefined) this.#accounts.delete(oldest);
    }
    return now >= 1;
  }
}
