import { open, type RootDatabase } from 'lmdb';
import type { Change, Entry, Outcome, Page, StateStore } from './state-store.ts';
import { Watchers } from './watchers.ts';

/** A key sorts behind every key that begins with the same prefix when this is added to the prefix. */
const BEHIND_ALL = '\uffff';
const REVISION_KEY = '\u0001revision';

interface Held {
  readonly value: unknown;
  readonly version: number;
}

/** State in one LMDB environment of this process. */
export class LmdbStore implements StateStore {
  readonly #db: RootDatabase<Held | number, string>;
  readonly #watchers = new Watchers();

  private constructor(db: RootDatabase<Held | number, string>) {
    this.#db = db;
  }

  /** Opens or makes the environment in `folder`. */
  static open(folder: string): LmdbStore {
    // Without overlappingSync a commit resolves after its one fdatasync: see decisions/0002.
    return new LmdbStore(open({ path: folder, encoding: 'json', overlappingSync: false }));
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
    const outcome = await this.#db.transaction((): Outcome => {
      for (const [key, version] of Object.entries(change.expect ?? {})) {
        const held = this.#db.get(key) as Held | undefined;
        if ((held?.version ?? 0) !== version) return { ok: false, conflict: key };
      }
      const revision = this.#revision() + 1;
      void this.#db.put(REVISION_KEY, revision);
      for (const [key, value] of Object.entries(change.put ?? {}))
        void this.#db.put(key, { value, version: revision });
      for (const key of change.remove ?? []) void this.#db.remove(key);
      return { ok: true, revision };
    });
    if (outcome.ok) this.#watchers.tell();
    return outcome;
  }

  async revision(): Promise<number> {
    return this.#revision();
  }

  watch(onChange: () => void): () => void {
    return this.#watchers.add(onChange);
  }

  async close(): Promise<void> {
    this.#watchers.clear();
    await this.#db.close();
  }

  #revision(): number {
    return (this.#db.get(REVISION_KEY) as number | undefined) ?? 0;
  }
}
