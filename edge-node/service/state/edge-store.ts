import { DesiredState, EdgeCredentials, type JournalRecord } from '@bootswarm/controller/contract';
import { Signed } from '@bootswarm/images/format';
import { type Database, open, type RootDatabase } from 'lmdb';
import { DiskReserve } from './disk-reserve.ts';

/** Bytes that stay free on the disk. What the edge must not forget may go on when the journal may not. */
const RESERVE_BYTES = { journal: 16 * 1024 * 1024, others: 4 * 1024 * 1024 };

export interface EdgeStoreOptions {
  /** Told when what nobody waits for could not be written: a journal record. */
  readonly onLoss: (error: unknown) => void;
  readonly reserve?: DiskReserve;
}

/** What this edge must not forget but its leases: credentials, desired state, journal. */
export class EdgeStore {
  readonly #root: RootDatabase;
  readonly #journal: Database<JournalRecord, number>;
  readonly #facts: Database<unknown, string>;
  readonly #onLoss: (error: unknown) => void;
  readonly #reserve: DiskReserve;
  #journalSeq: number;
  #closing = false;

  private constructor(root: RootDatabase, onLoss: (error: unknown) => void, reserve: DiskReserve) {
    this.#root = root;
    this.#onLoss = onLoss;
    this.#reserve = reserve;
    this.#journal = root.openDB({ name: 'journal', encoding: 'json' });
    this.#facts = root.openDB({ name: 'facts', encoding: 'json' });
    const [lastKey = 0] = this.#journal.getKeys({ reverse: true, limit: 1 });
    this.#journalSeq = Math.max(lastKey, (this.#facts.get('journalSeq') as number | undefined) ?? 0);
  }

  /** Opens or makes the environment in `folder`. */
  static open(folder: string, { onLoss, reserve }: EdgeStoreOptions): EdgeStore {
    // Without overlappingSync a put resolves after its one fdatasync: controller/decisions/0002.
    return new EdgeStore(
      open({ path: folder, overlappingSync: false }),
      onLoss,
      reserve ?? DiskReserve.of(folder),
    );
  }

  /** The credentials that joining brought. */
  credentials(): EdgeCredentials | undefined {
    return EdgeCredentials.optional().parse(this.#facts.get('credentials'));
  }

  /** SHA-256 of the join token that brought the credentials. */
  joinedWith(): string | undefined {
    return this.#facts.get('joinedWith') as string | undefined;
  }

  /**
   * A new controller, or one set up anew, counts its revisions anew: the old desired state ends with the old
   * credentials.
   * @param joinedWith SHA-256 of the join token that brought them.
   */
  async replaceCredentials(credentials: EdgeCredentials, joinedWith: string): Promise<void> {
    this.#reserve.require(RESERVE_BYTES.others);
    const replaced = this.#root.transaction(() => {
      void this.#facts.put('credentials', credentials);
      void this.#facts.put('joinedWith', joinedWith);
      void this.#facts.remove('desiredState');
    });
    await written(replaced);
  }

  /** The last desired state that was good. One that this version cannot read is none: it is fetched again. */
  desiredState(): DesiredState | undefined {
    const kept = Signed.safeParse(this.#facts.get('desiredState'));
    return kept.success ? DesiredState.safeParse(JSON.parse(kept.data.payload)).data : undefined;
  }

  async keepDesiredState(signed: Signed): Promise<void> {
    this.#reserve.require(RESERVE_BYTES.others);
    await written(this.#facts.put('desiredState', signed));
  }

  /** Adds a record; its `seq` is given here. Not waited for: a journal may lose its last moment, a lease may not. */
  addToJournal(record: Omit<JournalRecord, 'seq'>): void {
    // Transfers that the end of the edge breaks off have their last word behind it.
    if (this.#closing) return;
    try {
      this.#reserve.require(RESERVE_BYTES.journal);
    } catch (error) {
      this.#onLoss(error);
      return;
    }
    this.#journalSeq += 1;
    const seq = this.#journalSeq;
    written(this.#journal.put(seq, { seq, ...record })).catch(this.#onLoss);
  }

  /** The oldest records, at most `most`. */
  oldestJournal(most: number): JournalRecord[] {
    return Array.from(this.#journal.getRange({ limit: most }), ({ value }) => value);
  }

  /** Forgets records up to `seq`, which the controller holds. */
  async forgetJournal(seq: number): Promise<void> {
    const forgotten = this.#root.transaction(() => {
      // The count goes on behind them, also when none is left to count from.
      void this.#facts.put('journalSeq', seq);
      for (const key of Array.from(this.#journal.getKeys({ end: seq + 1 }))) void this.#journal.remove(key);
    });
    await written(forgotten);
  }

  async close(): Promise<void> {
    this.#closing = true;
    await this.#root.close();
  }
}

/** lmdb rejects a commit with a promise of the reason, which ends the process unless somebody waits for it. */
async function written(commit: Promise<unknown>): Promise<void> {
  try {
    await commit;
  } catch (error) {
    const { commitError } = error as { readonly commitError?: Promise<never> };
    throw (await commitError?.catch((reason: unknown) => reason)) ?? error;
  }
}
