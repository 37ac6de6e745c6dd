import { RecentChanges } from './recent-changes.ts';
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

/** The twin of the LMDB store for tests: the same behaviour, nothing kept. */
export class MemoryStore implements StateStore {
  readonly #entries = new Map<string, { readonly json: string; readonly version: number }>();
  readonly #watchers = new Watchers();
  readonly #changes = new RecentChanges(0);
  #revision = 0;

  async get(key: string): Promise<Entry | undefined> {
    const held = this.#entries.get(key);
    return held && { key, value: JSON.parse(held.json), version: held.version };
  }

  async list(prefix: string, page: Page = {}): Promise<readonly Entry[]> {
    return [...this.#entries]
      .filter(([key]) => key.startsWith(prefix) && key > (page.after ?? ''))
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .slice(0, page.limit)
      .map(([key, { json, version }]) => ({ key, value: JSON.parse(json), version }));
  }

  async commit(change: Change): Promise<Outcome> {
    for (const [key, version] of Object.entries(change.expect ?? {})) {
      if ((this.#entries.get(key)?.version ?? 0) !== version) return { ok: false, conflict: key };
    }
    this.#revision += 1;
    for (const [key, value] of Object.entries(change.put ?? {}))
      this.#entries.set(key, { json: JSON.stringify(value), version: this.#revision });
    for (const key of change.remove ?? []) this.#entries.delete(key);
    this.#changes.note(this.#revision, change);
    if (change.append) {
      const count = JSON.parse(this.#entries.get(logCountKey(change.append.log))?.json ?? '0') as number;
      for (const [key, value] of Object.entries(appended(change.append, count)))
        this.#entries.set(key, { json: JSON.stringify(value), version: this.#revision });
    }
    this.#watchers.tell();
    return { ok: true, revision: this.#revision };
  }

  async revision(): Promise<number> {
    return this.#revision;
  }

  async changesSince(revision: number): Promise<ReadonlySet<string> | undefined> {
    return this.#changes.since(revision, this.#revision);
  }

  watch(onChange: () => void): () => void {
    return this.#watchers.add(onChange);
  }

  async close(): Promise<void> {
    this.#watchers.clear();
  }
}
