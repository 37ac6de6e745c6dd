import type { Lease, LeaseView } from '../decide/lease.ts';

/** Where leases are kept for good. */
export interface LeaseLog {
  /** Every lease, one for each address. */
  readAll(): Iterable<Lease>;
  /** Resolves when the lease is durable. */
  write(lease: Lease): Promise<void>;
}

/**
 * The leases of this edge: decided in memory, by one writer, and made durable behind it. LMDB gathers the
 * writes of one moment in one commit.
 */
export class LeaseTable implements LeaseView {
  readonly #log: LeaseLog;
  readonly #byAddress = new Map<string, Lease>();
  readonly #byMac = new Map<string, Lease>();

  constructor(log: LeaseLog) {
    this.#log = log;
    // A machine that changed its address has two: the one that lives longest is where it is now.
    const leases = [...log.readAll()].toSorted((a, b) => a.expiresAtMs - b.expiresAtMs);
    for (const lease of leases) this.#remember(lease);
  }

  ofMac(segment: string, mac: string): Lease | undefined {
    return this.#byMac.get(keyOf(segment, mac));
  }

  at(address: string): Lease | undefined {
    return this.#byAddress.get(address);
  }

  /** How many addresses have a lease, live or not. */
  get size(): number {
    return this.#byAddress.size;
  }

  /**
   * Keeps a lease. Later decisions see it at once; the promise resolves when it is durable. An offer is kept
   * in memory alone: nobody relies on it after a restart.
   * @throws what the disk throws; the table is then as it was before, unless somebody changed the lease since.
   */
  async commit(lease: Lease): Promise<void> {
    const before = this.#byAddress.get(lease.address);
    const elsewhere = this.#byMac.get(keyOf(lease.segment, lease.mac));
    this.#remember(lease);
    if (lease.state === 'offered') return;
    try {
      await this.#log.write(lease);
    } catch (error) {
      if (this.#byAddress.get(lease.address) === lease) this.#takeBack(lease, before, elsewhere);
      throw error;
    }
  }

  #remember(lease: Lease): void {
    const before = this.#byAddress.get(lease.address);
    if (before && before.mac !== lease.mac) this.#forgetMac(before);
    const moved = this.#byMac.get(keyOf(lease.segment, lease.mac));
    // What a machine leaves behind for another address is free at once, if it never was more than an offer.
    if (moved && moved.address !== lease.address && moved.state === 'offered')
      this.#byAddress.delete(moved.address);
    this.#byAddress.set(lease.address, lease);
    // A declined address is no affinity: its machine must get another.
    if (lease.state === 'declined') this.#forgetMac(lease);
    else this.#byMac.set(keyOf(lease.segment, lease.mac), lease);
  }

  /** Undoes `#remember`, and nothing that happened to these machines since. */
  #takeBack(failed: Lease, before: Lease | undefined, elsewhere: Lease | undefined): void {
    this.#byAddress.delete(failed.address);
    this.#forgetMac(failed);
    if (before) this.#byAddress.set(before.address, before);
    for (const lease of [before, elsewhere]) {
      if (lease === undefined || lease.state === 'declined') continue;
      const key = keyOf(lease.segment, lease.mac);
      if (this.#byAddress.get(lease.address) === lease && !this.#byMac.has(key)) this.#byMac.set(key, lease);
    }
  }

  #forgetMac({ segment, mac, address }: Lease): void {
    const key = keyOf(segment, mac);
    if (this.#byMac.get(key)?.address === address) this.#byMac.delete(key);
  }
}

function keyOf(segment: string, mac: string): string {
  return `${segment} ${mac}`;
}
