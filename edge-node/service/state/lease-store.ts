import { type Database, open } from 'lmdb';
import type { Lease } from '../decide/lease.ts';
import { DiskReserve } from './disk-reserve.ts';
import type { LeaseLog } from './lease-table.ts';

/** Stays free for what else the disk must take. */
const RESERVE_BYTES = 4 * 1024 * 1024;

/** The leases in an LMDB environment of their own, so that no other writer holds its lock when an ACK waits. */
export class LeaseStore implements LeaseLog {
  readonly #db: Database<Lease, string>;
  readonly #reserve: DiskReserve;

  private constructor(db: Database<Lease, string>, reserve: DiskReserve) {
    this.#db = db;
    this.#reserve = reserve;
  }

  /** Opens or makes the environment in `folder`. */
  static open(folder: string, reserve?: DiskReserve): LeaseStore {
    const db = open<Lease, string>({ path: folder, encoding: 'json', overlappingSync: false });
    return new LeaseStore(db, reserve ?? DiskReserve.of(folder));
  }

  readAll(): Iterable<Lease> {
    return this.#db.getRange().map(({ value }) => value);
  }

  /** One commit, and one fdatasync: controller/decisions/0002. @throws Problem disk_full */
  writeAll(leases: readonly Lease[]): void {
    this.#reserve.require(RESERVE_BYTES);
    this.#db.transactionSync(() => {
      for (const lease of leases) this.#db.putSync(lease.address, lease);
    });
  }

  async close(): Promise<void> {
    await this.#db.close();
  }
}
