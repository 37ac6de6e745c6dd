/** A page of a list as it came, and where the next begins. */
interface Fetched<T> {
  readonly items: readonly T[];
  readonly next: string | undefined;
}

/**
 * A list that comes page by page as it is read: `for await (const machine of client.machines.list())`. `limit` of the
 * call is that of a page.
 */
export class Pages<T> implements AsyncIterable<T> {
  readonly #fetch: (cursor: string | undefined) => Promise<Fetched<T>>;

  constructor(fetch: (cursor: string | undefined) => Promise<Fetched<T>>) {
    this.#fetch = fetch;
  }

  async *pages(): AsyncGenerator<readonly T[], void> {
    for (let cursor: string | undefined; ; ) {
      const { items, next } = await this.#fetch(cursor);
      yield items;
      if (next === undefined) return;
      cursor = next;
    }
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, void> {
    for await (const page of this.pages()) yield* page;
  }

  /** The whole list, or its first `most`. */
  async all(most = Number.POSITIVE_INFINITY): Promise<T[]> {
    const all: T[] = [];
    for await (const page of this.pages()) {
      all.push(...page.slice(0, most - all.length));
      if (all.length >= most) break;
    }
    return all;
  }
}
