import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Database, open, type RootDatabase } from 'lmdb';
import type { Lease } from '../decide/lease.ts';
import { DiskReserve } from './disk-reserve.ts';
import {
  changeOf,
  changesOf,
  HISTORY_MOST,
  type HistoryRow,
  type LeaseChange,
  rowOf,
} from './lease-history.ts';
import type { LeaseLog } from './lease-table.ts';

/** Stays free for what else the disk must take. */
const RESERVE_BYTES = 4 * 1024 * 1024;

/** The leases are the root's own entries; beside them lies the name of the history, which is no address. */
const ADDRESSES = { start: '0', end: ':' };

export interface LeaseStoreOptions {
  readonly reserve?: DiskReserve;
  /** How many entries of the history are kept. */
  readonly historyMost?: number;
}

/** Under one number at most, so that no entry is larger than LMDB likes to move. */
const ROWS_MOST = 1024;
const HISTORY = { name: 'history', encoding: 'json' } as const;

/** The changes of one commit, under the number of the last of them. */
type History = Database<readonly HistoryRow[], number>;

/** What is kept, at one moment. */
export interface KeptLeases {
  readonly leases: readonly Lease[];
  /** In the order in which they were written. */
  readonly history: readonly LeaseChange[];
}

/**
 * The leases and their history, in an LMDB environment of their own, so that no other writer holds its lock when an
 * ACK waits.
 */
export class LeaseStore implements LeaseLog {
  readonly #db: RootDatabase<Lease, string>;
  readonly #history: History;
  readonly #reserve: DiskReserve;
  readonly #historyMost: number;
  /** What is durable, to tell a renewal from a change without reading it back. */
  readonly #durable = new Map<string, Lease>();
  #lastNumber: number;
  /** The first commit after a start trims. */
  #trimmedAt = Number.NEGATIVE_INFINITY;

  private constructor(
    db: RootDatabase<Lease, string>,
    { reserve, historyMost }: Required<LeaseStoreOptions>,
  ) {
    this.#db = db;
    this.#history = db.openDB(HISTORY);
    this.#reserve = reserve;
    this.#historyMost = historyMost;
    const [last = 0] = this.#history.getKeys({ reverse: true, limit: 1 });
    this.#lastNumber = last;
    for (const { key, value } of db.getRange(ADDRESSES)) this.#durable.set(key, value);
  }

  /** Opens or makes the environment in `folder`. */
  static open(folder: string, options: LeaseStoreOptions = {}): LeaseStore {
    const db = open<Lease, string>({ path: folder, encoding: 'json', overlappingSync: false });
    const { reserve = DiskReserve.of(folder), historyMost = HISTORY_MOST } = options;
    return new LeaseStore(db, { reserve, historyMost });
  }

  /**
   * Reads the environment in `folder`, beside an edge that may be at work on it.
   * @returns undefined where there is none.
   */
  static async read(folder: string): Promise<KeptLeases | undefined> {
    if (!existsSync(join(folder, 'data.mdb'))) return undefined;
    const db = open<Lease, string>({ path: folder, encoding: 'json', readOnly: true });
    try {
      const leases = [...db.getRange(ADDRESSES)].map(({ value }) => value);
      // An environment of before the history has none.
      const history: History | undefined = db.openDB(HISTORY);
      const rows = history ? [...history.getRange()].flatMap(({ value }) => value) : [];
      return { leases, history: rows.map(changeOf) };
    } finally {
      await db.close();
    }
  }

  readAll(): Iterable<Lease> {
    return this.#durable.values();
  }

  /**
   * One commit, and one fdatasync, with the history of what they change: controller/decisions/0002.
   * @throws Problem disk_full
   */
  writeAll(leases: readonly Lease[], nowMs = Date.now()): void {
    this.#reserve.require(RESERVE_BYTES);
    const before: (Lease | undefined)[] = [];
    const changes: LeaseChange[] = [];
    for (const lease of leases) {
      const held = this.#durable.get(lease.address);
      for (const change of changesOf(held, lease, nowMs)) changes.push(change);
      before.push(held);
      this.#durable.set(lease.address, lease);
    }
    try {
      this.#db.transactionSync(() => {
        for (const lease of leases) this.#db.putSync(lease.address, lease);
        if (changes.length > 0) this.#append(changes);
      });
    } catch (error) {
      // Backwards: one address may be there twice.
      for (let at = leases.length - 1; at >= 0; at--) this.#restore(leases[at]?.address ?? '', before[at]);
      throw error;
    }
    this.#lastNumber += changes.length;
  }

  /** One commit of the same leases with other ends. @throws Problem disk_full */
  rewrite(leases: readonly Lease[]): void {
    this.#reserve.require(RESERVE_BYTES);
    this.#db.transactionSync(() => {
      for (const lease of leases) this.#db.putSync(lease.address, lease);
    });
    for (const lease of leases) this.#durable.set(lease.address, lease);
  }

  async close(): Promise<void> {
    await this.#db.close();
  }

  /** Inside a transaction. */
  #append(changes: readonly LeaseChange[]): void {
    let number = this.#lastNumber;
    for (let from = 0; from < changes.length; from += ROWS_MOST) {
      const rows = changes.slice(from, from + ROWS_MOST).map(rowOf);
      number += rows.length;
      this.#history.putSync(number, rows, { append: true });
    }
    // Not at every commit: each trimming writes the pages at the old end as well.
    if (number - this.#trimmedAt < this.#historyMost / 100) return;
    for (const old of [...this.#history.getKeys({ end: number - this.#historyMost + 1 })])
      this.#history.removeSync(old);
    this.#trimmedAt = number;
  }

  #restore(address: string, lease: Lease | undefined): void {
    if (lease) this.#durable.set(address, lease);
    else this.#durable.delete(address);
  }
}
