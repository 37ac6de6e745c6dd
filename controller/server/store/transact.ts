import { problem } from '@bootswarm/controller/contract';
import { takeCondition } from './condition.ts';
import type { Change, Entry, StateStore } from './state-store.ts';

/** Tries before giving up on a key that others keep changing. */
const TRIES = 20;

/** Reads for a transaction: every key read or named this way must be unchanged when it commits. */
export interface Reads {
  get(key: string): Promise<Entry | undefined>;
  /** For an entry that came from a list. */
  dependOn(entry: Entry): void;
}

export interface Plan<T> {
  readonly put?: Readonly<Record<string, unknown>>;
  readonly remove?: readonly string[];
  readonly result: T;
}

/**
 * Reads, decides and commits as one step: `plan` runs again where a key that it read was changed meanwhile.
 * It must not do anything else than read.
 * @throws Problem `changed_meanwhile` after 20 lost races, and whatever `plan` or the caller's condition throws.
 */
export async function transact<T>(
  store: StateStore,
  what: string,
  plan: (reads: Reads) => Promise<Plan<T>>,
): Promise<T> {
  const condition = takeCondition();
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const expect: Record<string, number> = {};
    const known = new Map<string, Entry | undefined>();
    const reads: Reads = {
      get: async (key) => {
        const entry = await store.get(key);
        expect[key] = entry?.version ?? 0;
        known.set(key, entry);
        return entry;
      },
      dependOn: ({ key, version }) => {
        expect[key] = version;
      },
    };
    await condition?.(reads);
    const { result, ...writes } = await plan(reads);
    if (isEmpty(writes)) return result;
    const outcome = await store.commit({ ...writes, expect, known });
    if (outcome.ok) return result;
  }
  throw problem('changed_meanwhile', { facts: { what } });
}

function isEmpty(change: Change): boolean {
  return Object.keys(change.put ?? {}).length === 0 && (change.remove ?? []).length === 0;
}
