/** Leases that ended are looked for no more often than this. */
const RECOUNT_MS = 1000;

/** How many addresses have something in common: behind one relay, on one switch port, in quarantine. */
export class LeaseCounts {
  readonly #known = new Map<string, { readonly addresses: Set<string>; countedAtMs: number }>();

  add(key: string, address: string): void {
    const known = this.#known.get(key);
    if (known) known.addresses.add(address);
    else this.#known.set(key, { addresses: new Set([address]), countedAtMs: Number.NEGATIVE_INFINITY });
  }

  /**
   * Whether there are `most` or more. What ended within the last second may still count.
   * @param counts whether an address that was added is still one of them.
   */
  isFull(key: string, most: number, nowMs: number, counts: (address: string) => boolean): boolean {
    const known = this.#known.get(key);
    if (known === undefined || known.addresses.size < most) return false;
    // A clock that was set back begins anew, too.
    if (Math.abs(nowMs - known.countedAtMs) < RECOUNT_MS) return true;
    known.countedAtMs = nowMs;
    for (const address of known.addresses) if (!counts(address)) known.addresses.delete(address);
    return known.addresses.size >= most;
  }
}
