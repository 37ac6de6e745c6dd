import type { Lease } from '../decide/lease.ts';
import type { LeaseLog } from '../state/lease-table.ts';

/** A log in memory, whose disk can be made to fail, and to be slow. */
export class FakeLeaseLog implements LeaseLog {
  readonly written = new Map<string, Lease>();
  isBroken = false;
  /** What `write` waits for before it does anything. */
  gate: Promise<void> = Promise.resolve();

  constructor(...leases: readonly Lease[]) {
    for (const lease of leases) this.written.set(lease.address, lease);
  }

  readAll(): Iterable<Lease> {
    return [...this.written.values()];
  }

  async write(lease: Lease): Promise<void> {
    await this.gate;
    if (this.isBroken) throw new Error('ENOSPC');
    this.written.set(lease.address, lease);
  }
}
