import type { Lease, LeaseView } from '../decide/lease.ts';

/** Where leases are kept for good. */
export interface LeaseLog {
  /** Every lease, one for each address. */
  readAll(): Iterable<Lease>;
  /** All of them or none. They are durable when it returns. */
  writeAll(leases: readonly Lease[]): void;
}

/** What one address and one machine had before a lease was remembered. */
interface Undo {
  readonly lease: Lease;
  readonly before: Lease | undefined;
  readonly displaced: Lease | undefined;
  readonly elsewhere: Lease | undefined;
}

/**
 * The leases of this edge: decided in memory, by one writer, and made durable behind it, those of one round in
 * one commit.
 */
export class LeaseTable implements LeaseView {
  readonly #log: LeaseLog;
  readonly #byAddress = new Map<string, Lease>();
  readonly #byMac = new Map<string, Lease>();
  #sinceFlush: Undo[] = [];

  constructor(log: LeaseLog) {
    this.#log = log;
    // A machine that changed its address has two: the one that lives longest is where it is now.
    const leases = [...log.readAll()].toSorted((a, b) => a.expiresAtMs - b.expiresAtMs);
    for (const lease of leases) this.remember(lease);
    this.#sinceFlush = [];
  }

  ofMac(segment: string, mac: string): Lease | undefined {
    return this.#byMac.get(keyOf(segment, mac));
  }

  at(address: string): Lease | undefined {
    return this.#byAddress.get(address);
  }

  /** Every address that has a lease, live or not. */
  all(): Iterable<Lease> {
    return this.#byAddress.values();
  }

  /** Later decisions see the lease at once. It is durable after the next flush. */
  remember(lease: Lease): void {
    const key = keyOf(lease.segment, lease.mac);
    const before = this.#byAddress.get(lease.address);
    const elsewhere = this.#byMac.get(key);
    const displaced = before && before.mac !== lease.mac ? this.ofMac(before.segment, before.mac) : undefined;
    this.#sinceFlush.push({ lease, before, displaced, elsewhere });

    if (displaced) this.#forgetMac(displaced, lease.address);
    // What a machine leaves behind for another address is free at once, if it never was more than an offer.
    if (elsewhere && elsewhere.address !== lease.address && elsewhere.state === 'offered')
      this.#byAddress.delete(elsewhere.address);
    this.#byAddress.set(lease.address, lease);
    // A declined address is no affinity: its machine must get another.
    if (lease.state === 'declined') this.#forgetMac(lease, lease.address);
    else this.#byMac.set(key, lease);
  }

  /**
   * Makes durable what was remembered since the last flush. Offers stay in memory alone: nobody relies on one
   * after a restart.
   * @throws what the disk throws; the table is then as it was at the last flush.
   */
  flush(): void {
    const round = this.#sinceFlush;
    this.#sinceFlush = [];
    const leases = round.map(({ lease }) => lease).filter(({ state }) => state !== 'offered');
    if (leases.length === 0) return;
    try {
      this.#log.writeAll(leases);
    } catch (error) {
      for (const undo of round.toReversed()) this.#takeBack(undo);
      throw error;
    }
  }

  #takeBack({ lease, before, displaced, elsewhere }: Undo): void {
    if (before) this.#byAddress.set(lease.address, before);
    else this.#byAddress.delete(lease.address);
    this.#byMac.delete(keyOf(lease.segment, lease.mac));
    if (displaced) this.#byMac.set(keyOf(displaced.segment, displaced.mac), displaced);
    if (elsewhere) {
      this.#byMac.set(keyOf(elsewhere.segment, elsewhere.mac), elsewhere);
      this.#byAddress.set(elsewhere.address, elsewhere);
    }
  }

  #forgetMac({ segment, mac }: Lease, address: string): void {
    const key = keyOf(segment, mac);
    if (this.#byMac.get(key)?.address === address) this.#byMac.delete(key);
  }
}

function keyOf(segment: string, mac: string): string {
  return `${segment} ${mac}`;
}
