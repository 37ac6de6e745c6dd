import { DesiredState, EdgeCredentials, type JournalRecord } from '@bootswarm/controller/contract';
import { Signed } from '@bootswarm/images/format';
import { type Database, open, type RootDatabase } from 'lmdb';
import type { Lease } from '../decide/lease.ts';
import type { LeaseLog } from './lease-table.ts';

/** What this edge must not forget, in one LMDB environment. */
export class EdgeStore {
  readonly #root: RootDatabase;
  readonly #leases: Database<Lease, string>;
  readonly #journal: Database<JournalRecord, number>;
  readonly #facts: Database<unknown, string>;
  #journalSeq: number;

  private constructor(root: RootDatabase) {
    this.#root = root;
    this.#leases = root.openDB({ name: 'leases', encoding: 'json' });
    this.#journal = root.openDB({ name: 'journal', encoding: 'json' });
    this.#facts = root.openDB({ name: 'facts', encoding: 'json' });
    this.#journalSeq = (this.#facts.get('journalSeq') as number | undefined) ?? 0;
  }

  /** Opens or makes the environment in `folder`. */
  static open(folder: string): EdgeStore {
    // Without overlappingSync a put resolves after its one fdatasync: controller/decisions/0002.
    return new EdgeStore(open({ path: folder, overlappingSync: false }));
  }

  get leases(): LeaseLog {
    const leases = this.#leases;
    return {
      readAll: () => leases.getRange().map(({ value }) => value),
      write: async (lease) => {
        await leases.put(lease.address, lease);
      },
    };
  }

  /** The credentials that joining brought. */
  credentials(): EdgeCredentials | undefined {
    return EdgeCredentials.optional().parse(this.#facts.get('credentials'));
  }

  /** A new controller, or one set up anew, counts its revisions anew: the old desired state ends with the old credentials. */
  async replaceCredentials(credentials: EdgeCredentials): Promise<void> {
    await this.#root.transaction(() => {
      void this.#facts.put('credentials', credentials);
      void this.#facts.remove('desiredState');
    });
  }

  /** The last desired state that was good, with its signature. */
  desiredState(): DesiredState | undefined {
    const kept = this.#facts.get('desiredState');
    return kept === undefined ? undefined : DesiredState.parse(JSON.parse(Signed.parse(kept).payload));
  }

  async keepDesiredState(signed: Signed): Promise<void> {
    await this.#facts.put('desiredState', signed);
  }

  /** Adds a record; its `seq` is given here. Not waited for: a journal may lose its last moment, a lease may not. */
  addToJournal(record: Omit<JournalRecord, 'seq'>): void {
    this.#journalSeq += 1;
    void this.#facts.put('journalSeq', this.#journalSeq);
    void this.#journal.put(this.#journalSeq, { seq: this.#journalSeq, ...record });
  }

  /** The oldest records, at most `most`. */
  oldestJournal(most: number): JournalRecord[] {
    return Array.from(this.#journal.getRange({ limit: most }), ({ value }) => value);
  }

  /** Forgets records up to `seq`, which the controller holds. */
  async forgetJournal(seq: number): Promise<void> {
    for (const key of Array.from(this.#journal.getKeys({ end: seq + 1 }))) void this.#journal.remove(key);
    await this.#journal.flushed;
  }

  async close(): Promise<void> {
    await this.#root.close();
  }
}
