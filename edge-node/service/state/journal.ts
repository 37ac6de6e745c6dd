import type { JournalRecord } from '@bootswarm/controller/contract';
import type { Database, RootDatabase } from 'lmdb';
import { commitOf } from './commit.ts';
import { Repeats, type Unnumbered } from './journal-repeats.ts';

/** Some days of an edge whose machines boot, or some minutes of a flood, at 200 to 300 bytes each. */
const RECORDS_MOST = 200_000;
/** Records under one key: one write to the database, and as many as one call to the controller takes. */
const CHUNK_MOST = 500;
/** Under load records are gathered for so long, so that the disk is flushed twenty times a second at most. */
const GATHER_MS = 50;
const DUE_LOOK_MS = 1000;

/** Under the number of its first record; an array, or one record, as earlier versions wrote it. */
type Chunk = JournalRecord | readonly JournalRecord[];

export interface JournalParts {
  readonly root: RootDatabase;
  readonly facts: Database<unknown, string>;
  /** @throws where the disk is too full for it. */
  readonly requireRoom: () => void;
  /** Told why records could not be kept. */
  readonly onLoss: (error: unknown) => void;
  readonly recordsMost?: number;
  /** Milliseconds of Unix time. */
  readonly clock?: () => number;
}

/**
 * What this edge has to tell the controller. Bounded: when the controller is away for long the oldest records go,
 * and how many is told in a record of its own. Nobody waits for a write: a journal may lose its last moment, a
 * lease may not.
 */
export class Journal {
  readonly #parts: JournalParts;
  readonly #chunks: Database<Chunk, number>;
  readonly #repeats = new Repeats();
  readonly #recordsMost: number;
  readonly #clock: () => number;
  readonly #dueTimer: NodeJS.Timeout;
  #seq: number;
  /** To be written with the next flush; numbered then. */
  #gathered: Unnumbered[] = [];
  #isFlushPlanned = false;
  #flushedAtMs = 0;
  #isClosed = false;

  constructor(parts: JournalParts) {
    this.#parts = parts;
    this.#chunks = parts.root.openDB({ name: 'journal', encoding: 'json' });
    this.#recordsMost = parts.recordsMost ?? RECORDS_MOST;
    this.#clock = parts.clock ?? Date.now;
    const [last] = this.#chunks.getRange({ reverse: true, limit: 1 });
    const lastSeq = last === undefined ? 0 : (recordsIn(last.value).at(-1)?.seq ?? 0);
    this.#seq = Math.max(lastSeq, (parts.facts.get('journalSeq') as number | undefined) ?? 0);
    this.#dueTimer = setInterval(() => this.#gather(this.#repeats.due(this.#clock())), DUE_LOOK_MS).unref();
  }

  /** Takes records in their order. @returns those that are written at once, the others being the same again. */
  add(records: readonly Unnumbered[]): readonly Unnumbered[] {
    // Transfers that the end of the edge breaks off have their last word behind it.
    if (this.#isClosed) return [];
    const written = this.#repeats.take(records, this.#clock());
    this.#gather(written);
    return written;
  }

  /**
   * Adds a record in the same write as what it tells of, behind all that was added before.
   * @param puts writes that too; runs inside the transaction. @throws what the disk says: neither is written then.
   */
  async addWith(record: Unnumbered, puts: () => void): Promise<void> {
    this.#flush();
    this.#seq += 1;
    const numbered = { seq: this.#seq, ...record };
    await commitOf(
      this.#parts.root.transaction(() => {
        puts();
        void this.#chunks.put(numbered.seq, [numbered]);
      }),
    );
  }

  /** The oldest records, at most `most`. */
  oldest(most: number): JournalRecord[] {
    const found: JournalRecord[] = [];
    for (const { value } of this.#chunks.getRange({})) {
      const records = recordsIn(value);
      // Whole chunks, so that forgetting them rewrites none.
      if (found.length > 0 && found.length + records.length > most) break;
      found.push(...records);
      if (found.length >= most) break;
    }
    return found.slice(0, most);
  }

  /** Forgets records up to `seq`, which the controller holds. */
  async forget(seq: number): Promise<void> {
    const { root, facts } = this.#parts;
    const lost = (facts.get('journalLost') as number | undefined) ?? 0;
    await commitOf(
      root.transaction(() => {
        // The count goes on behind them, also when none is left to count from.
        void facts.put('journalSeq', seq);
        if (lost > 0) void facts.remove('journalLost');
        for (const { key, value } of Array.from(this.#chunks.getRange({ end: seq + 1 }))) {
          const rest = recordsIn(value).filter((record) => record.seq > seq);
          void this.#chunks.remove(key);
          if (rest[0]) void this.#chunks.put(rest[0].seq, rest);
        }
      }),
    );
    if (lost === 0) return;
    const detail = `${lost} records are lost: the journal was full while the controller was away`;
    this.add([{ at: new Date(this.#clock()).toISOString(), stage: 'alarm', detail }]);
  }

  /** Writes what is left, counts of repeats included, and takes no more. */
  close(): void {
    clearInterval(this.#dueTimer);
    this.#gather(this.#repeats.end());
    this.#flush();
    this.#isClosed = true;
  }

  #gather(records: readonly Unnumbered[]): void {
    if (records.length === 0) return;
    for (const record of records) this.#gathered.push(record);
    if (this.#gathered.length >= CHUNK_MOST) this.#flush();
    else this.#planFlush();
  }

  /** At once where the last flush is a while ago, so that whoever follows a machine sees it without delay. */
  #planFlush(): void {
    if (this.#isFlushPlanned) return;
    this.#isFlushPlanned = true;
    const waitMs = this.#flushedAtMs + GATHER_MS - this.#clock();
    if (waitMs > 0) setTimeout(() => this.#flush(), waitMs);
    else setImmediate(() => this.#flush());
  }

  #flush(): void {
    this.#isFlushPlanned = false;
    if (this.#isClosed || this.#gathered.length === 0) return;
    this.#flushedAtMs = this.#clock();
    const gathered = this.#gathered;
    this.#gathered = [];
    try {
      this.#parts.requireRoom();
    } catch (error) {
      this.#parts.onLoss(error);
      return;
    }
    for (let at = 0; at < gathered.length; at += CHUNK_MOST) {
      const records = gathered.slice(at, at + CHUNK_MOST).map((record) => {
        this.#seq += 1;
        return { seq: this.#seq, ...record };
      });
      void this.#write(records).catch(this.#parts.onLoss);
    }
  }

  #write(records: readonly JournalRecord[]): Promise<void> {
    const first = records[0]?.seq ?? 0;
    const [oldest = first] = this.#chunks.getKeys({ limit: 1 });
    if (this.#seq - oldest < this.#recordsMost) return commitOf(this.#chunks.put(first, records));
    return commitOf(
      this.#parts.root.transaction(() => {
        void this.#chunks.put(first, records);
        this.#trim(this.#seq - this.#recordsMost);
      }),
    );
  }

  /** Removes the chunks that end at or before `seq`; runs inside a transaction. */
  #trim(seq: number): void {
    const { facts } = this.#parts;
    // With the one that begins right behind it, since a chunk ends where the next begins.
    const keys = Array.from(this.#chunks.getKeys({ end: seq + 2 }));
    let lost = 0;
    for (const [index, key] of keys.entries()) {
      const behind = keys[index + 1];
      if (behind === undefined) break;
      void this.#chunks.remove(key);
      lost += behind - key;
    }
    if (lost > 0)
      void facts.put('journalLost', ((facts.get('journalLost') as number | undefined) ?? 0) + lost);
  }
}

function recordsIn(chunk: Chunk): readonly JournalRecord[] {
  return Array.isArray(chunk) ? chunk : [chunk as JournalRecord];
}
