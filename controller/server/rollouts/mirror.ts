import type { StateStore } from '../store/state-store.ts';

/** Entries under a prefix as they stand in the store, parsed once for each change. */
export class Mirror<T> {
  readonly #store: StateStore;
  readonly #prefix: string;
  readonly #parse: (value: unknown) => T;
  #held: Map<string, T> | undefined;

  constructor(store: StateStore, prefix: string, parse: (value: unknown) => T) {
    this.#store = store;
    this.#prefix = prefix;
    this.#parse = parse;
  }

  /** @param changed keys since the last time; undefined where they are not known. @returns by name. */
  async take(changed: ReadonlySet<string> | undefined): Promise<ReadonlyMap<string, T>> {
    if (changed === undefined || this.#held === undefined) {
      const entries = await this.#store.list(this.#prefix);
      this.#held = new Map(entries.map(({ key, value }) => [this.#nameOf(key), this.#parse(value)]));
      return this.#held;
    }
    for (const key of changed) {
      if (!key.startsWith(this.#prefix)) continue;
      const entry = await this.#store.get(key);
      if (entry === undefined) this.#held.delete(this.#nameOf(key));
      else this.#held.set(this.#nameOf(key), this.#parse(entry.value));
    }
    return this.#held;
  }

  #nameOf(key: string): string {
    return key.slice(this.#prefix.length);
  }
}
