import type { Event } from '@bootswarm/controller/contract';
import type { Change, Entry, Outcome, Page, StateStore } from '../store/state-store.ts';
import { causeNow } from './cause.ts';
import { eventsOf, isTold, type KeyChange } from './event-rules.ts';

/** The log of events, as the store names it. */
export const EVENT_LOG = 'events';

/**
 * The store that everything at the controller commits through: what a commit changes is told as events in the same
 * commit, so that none is lost and none tells what did not happen. Whoever commits need not know of it.
 */
export class RecordedStore implements StateStore {
  readonly #inner: StateStore;

  constructor(inner: StateStore) {
    this.#inner = inner;
  }

  async commit(change: Change): Promise<Outcome> {
    const { by, request } = causeNow();
    for (;;) {
      const { before, expect } = await this.#before(change);
      const at = new Date().toISOString();
      const values = eventsOf(changesOf(change, before)).map(
        (told): Omit<Event, 'number'> => ({ ...told, at, by, ...(request === undefined ? {} : { request }) }),
      );
      const outcome = await this.#inner.commit({
        ...change,
        expect: { ...expect, ...change.expect },
        ...(values.length > 0 ? { append: { log: EVENT_LOG, values } } : {}),
      });
      // Lost on what only the events depend on: the caller need not know, and someone else got on.
      if (!outcome.ok && change.expect?.[outcome.conflict] === undefined) continue;
      return outcome;
    }
  }

  get(key: string): Promise<Entry | undefined> {
    return this.#inner.get(key);
  }

  list(prefix: string, page?: Page): Promise<readonly Entry[]> {
    return this.#inner.list(prefix, page);
  }

  revision(): Promise<number> {
    return this.#inner.revision();
  }

  changesSince(revision: number): Promise<ReadonlySet<string> | undefined> {
    return this.#inner.changesSince(revision);
  }

  watch(onChange: () => void): () => void {
    return this.#inner.watch(onChange);
  }

  close(): Promise<void> {
    return this.#inner.close();
  }

  /** What stands now under the keys of which something is told, and that it still does when the commit comes. */
  async #before({ put = {}, remove = [], known, expect: expected = {} }: Change): Promise<Before> {
    const before = new Map<string, Entry | undefined>();
    const expect: Record<string, number> = {};
    for (const key of [...Object.keys(put), ...remove]) {
      if (!isTold(key)) continue;
      const entry = known?.has(key) ? known.get(key) : await this.#inner.get(key);
      before.set(key, entry);
      if (!Object.hasOwn(expected, key)) expect[key] = entry?.version ?? 0;
    }
    return { before, expect };
  }
}

interface Before {
  readonly before: ReadonlyMap<string, Entry | undefined>;
  /** Beside what the caller expects. */
  readonly expect: Readonly<Record<string, number>>;
}

function changesOf({ put = {}, remove = [] }: Change, before: Before['before']): readonly KeyChange[] {
  const removed = new Set(remove);
  return [...before].map(([key, entry]) => ({
    key,
    before: entry?.value,
    after: removed.has(key) ? undefined : put[key],
  }));
}
