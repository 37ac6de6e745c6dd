/**
 * Where the controller's state lives: versioned JSON values under string keys, changed by transactions that
 * either hold as a whole or name the key they lost on. Shaped so that etcd can stand behind it (its
 * mod_revision is our version, its Txn our commit); `state-store.test.ts` is what every driver must pass.
 */
export interface StateStore {
  get(key: string): Promise<Entry | undefined>;

  /** Entries whose key begins with `prefix`, in byte order of their keys. */
  list(prefix: string, page?: Page): Promise<readonly Entry[]>;

  /**
   * All of `change`, or nothing and the key whose version was not as expected. Durable when it resolves.
   * @throws what the driver throws where nothing was stored (a full disk, a lost connection).
   */
  commit(change: Change): Promise<Outcome>;

  /** The version that the last commit gave. 0 before the first. */
  revision(): Promise<number>;

  /**
   * Keys that commits after `revision` put or removed, of those that are followed, perhaps with some of commits that are on their way; undefined
   * where the store no longer knows. For who keeps a copy of a part of it.
   */
  changesSince(revision: number): Promise<ReadonlySet<string> | undefined>;

  /** Calls back soon after commits, perhaps once for several: a hint to look again, not a log. */
  watch(onChange: () => void): () => void;

  close(): Promise<void>;
}

export interface Entry {
  readonly key: string;
  readonly value: unknown;
  /** The store's revision when this value was put. */
  readonly version: number;
}

export interface Page {
  /** Begin behind this key. */
  readonly after?: string;
  readonly limit?: number;
}

export interface Change {
  /** Version that each key must have; 0 means that it must not be there. */
  readonly expect?: Readonly<Record<string, number>>;
  readonly put?: Readonly<Record<string, unknown>>;
  readonly remove?: readonly string[];
  /** What the caller has read of the keys that it expects: a hint, so that nobody need read them again. */
  readonly known?: ReadonlyMap<string, Entry | undefined>;
  /**
   * Values for the end of a log. Each gets the next number of that log, whoever else commits at the same time: no
   * caller can lose a race on it. It is put under `logKey`, and the count of all that ever came under `logCountKey`.
   */
  readonly append?: { readonly log: string; readonly values: readonly unknown[] };
}

/** Of the `number`th value of a log, from 1 on: keys in the order of their numbers. */
export function logKey(log: string, number: number): string {
  return `${logPrefix(log)}${String(number).padStart(12, '0')}`;
}

export function logPrefix(log: string): string {
  return `${log}/`;
}

export function logCountKey(log: string): string {
  return `log-counts/${log}`;
}

/** What a log's values are put as, behind the `count` that came before. */
export function appended(
  { log, values }: NonNullable<Change['append']>,
  count: number,
): Readonly<Record<string, unknown>> {
  if (values.length === 0) return {};
  const put = values.map((value, index) => [logKey(log, count + index + 1), value] as const);
  return { ...Object.fromEntries(put), [logCountKey(log)]: count + values.length };
}

export type Outcome =
  | { readonly ok: true; readonly revision: number }
  | { readonly ok: false; readonly conflict: string };
