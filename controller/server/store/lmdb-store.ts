import { statfs } from 'node:fs/promises';
import { open, type RootDatabase } from 'lmdb';
import { type IsFollowed, RecentChanges } from './recent-changes.ts';
import {
  appended,
  type Change,
  type Entry,
  logCountKey,
  type Outcome,
  type Page,
  type StateStore,
} from './state-store.ts';
import { Watchers } from './watchers.ts';

/** A key sorts behind every key that begins with the same prefix when this is added to the prefix. */
const BEHIND_ALL = '\uffff';
/** A failed commit with less than this left on the disk failed for want of room. */
const FULL_BELOW_BYTES = 1024 * 1024;
/**
 * Of addresses, not of memory or disk. A map that is outgrown is replaced and kept beside the new one, and what both
 * hold counts twice: 300 MB more for 100,000 machines.
 */
const MAP_BYTES = 2 ** 36;
const REVISION_KEY = '\u0001revision';

interface Held {
  readonly value: unknown;
  readonly version: number;
}

/** State in one LMDB environment of this process. */
export class LmdbStore implements StateStore {
  readonly #db: RootDatabase<Held | number, string>;
  readonly #folder: string;
  readonly #watchers = new Watchers();
  readonly #changes: RecentChanges;

  private constructor(
    db: RootDatabase<Held | number, string>,
    folder: string,
    isFollowed: IsFollowed | undefined,
  ) {
    this.#db = db;
    this.#folder = folder;
    this.#changes = new RecentChanges(this.#revision(), isFollowed);
  }

  /** Opens or makes the environment in `folder`. @param isFollowed of which keys `changesSince` tells; of all if left out. */
  static open(folder: string, isFollowed?: IsFollowed): LmdbStore {
    // Without overlappingSync a commit resolves after its one fdatasync: see decisions/0002. With event turn
    // batching lmdb keeps a promise to itself, whose rejection on a full disk would end the process.
    const options = { encoding: 'json', overlappingSync: false, eventTurnBatching: false } as const;
    return new LmdbStore(open({ path: folder, ...options, mapSize: MAP_BYTES }), folder, isFollowed);
  }

  async get(key: string): Promise<Entry | undefined> {
    const held = this.#db.get(key) as Held | undefined;
    return held && { key, ...held };
  }

  async list(prefix: string, page: Page = {}): Promise<readonly Entry[]> {
    const start = page.after !== undefined && page.after > prefix ? page.after : prefix;
    const range = this.#db
      .getRange({ start, end: prefix + BEHIND_ALL })
      .filter(({ key }) => key !== page.after && key !== REVISION_KEY)
      .map(({ key, value }) => ({ key, ...(value as Held) }));
    return Array.from(page.limit === undefined ? range : range.slice(0, page.limit));
  }

  async commit(change: Change): Promise<Outcome> {
    // Every expectation is checked before the first write: a throw inside would not roll back.
    const committed = this.#db.transaction((): Outcome => {
      for (const [key, version] of Object.entries(change.expect ?? {})) {
        const held = this.#db.get(key) as Held | undefined;
        if ((held?.version ?? 0) !== version) return { ok: false, conflict: key };
      }
      const revision = this.#revision() + 1;
      this.#db.putSync(REVISION_KEY, revision);
      for (const [key, value] of Object.entries(change.put ?? {}))
        this.#db.putSync(key, { value, version: revision });
      for (const key of change.remove ?? []) this.#db.removeSync(key);
      this.#changes.note(revision, change);
      if (change.append) {
        const held = this.#db.get(logCountKey(change.append.log)) as Held | undefined;
        for (const [key, value] of Object.entries(appended(change.append, (held?.value ?? 0) as number)))
          this.#db.putSync(key, { value, version: revision });
      }
      return { ok: true, revision };
    });
    const outcome = await committed.catch(async (error: unknown) => {
      throw await this.#reasonOf(error);
    });
    if (outcome.ok) this.#watchers.tell();
    return outcome;
  }

  async revision(): Promise<number> {
    return this.#revision();
  }

  async changesSince(revision: number): Promise<ReadonlySet<string> | undefined> {
    return this.#changes.since(revision, this.#revision());
  }

  watch(onChange: () => void): () => void {
    return this.#watchers.add(onChange);
  }

  async close(): Promise<void> {
    this.#watchers.clear();
    await this.#db.close();
  }

  /**
   * Why a commit failed. lmdb rejects it with a promise of the reason, which ends the process unless someone
   * waits for it. LMDB calls a write that was cut short by a full disk an input/output error.
   */
  async #reasonOf(error: unknown): Promise<unknown> {
    const { commitError } = error as { readonly commitError?: Promise<never> };
    const reason = await commitError?.catch((found: unknown) => found);
    const { bavail, bsize } = await statfs(this.#folder);
    if (bavail * bsize > FULL_BELOW_BYTES) return reason ?? error;
    return Object.assign(new Error('no space left on device', { cause: reason ?? error }), {
      code: 'ENOSPC',
    });
  }

  #revision(): number {
    return (this.#db.get(REVISION_KEY) as number | undefined) ?? 0;
  }
}
