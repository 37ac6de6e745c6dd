import type { Lease } from '../decide/lease.ts';
import type { LeaseLog } from '../state/lease-table.ts';

/** A log in memory, whose disk can be made to fail. */
export class FakeLeaseLog implements LeaseLog {
  readonly written = new Map<string, Lease>();
  /** How often it was written to. */
  writes = 0;
  isBroken = false;

  constructor(...leases: readonly Lease[]) {
    for (const lease of leases) this.written.set(lease.address, lease);
  }

  readAll(): Iterable<Lease> {
    return [...this.written.values()];
  }

  writeAll(leases: readonly Lease[]): void {
    if (this.isBroken) throw new Error('ENOSPC');
    this.writes += 1;
    for (const lease of leases) this.written.set(lease.address, lease);
  }

  rewrite(leases: readonly Lease[]): void {
    this.writeAll(leases);
  }
}
