import { EdgeRecord, MachineMove, MOVES_MOST } from '@bootswarm/controller/contract';
import type { z } from 'zod';
import type { StateStore } from '../store/state-store.ts';
import type { MachineDraft } from './machine-draft.ts';

/** Of each machine, and of the alarms of each segment. */
export const RING_MOST = 1000;

interface Held {
  /** Counts up by one in each ring. */
  readonly n: number;
  readonly record: unknown;
}

/**
 * The last records of an owner, in the order in which they arrived. Once there are as many as are kept, a record takes
 * the place of the oldest, so that keeping to the bound costs nothing.
 */
class RecordRing<T> {
  readonly #name: string;
  readonly #schema: z.ZodType<T>;
  readonly #most: number;

  /** @param name of the kind, as it stands in the keys. @param most that are kept of each owner. */
  constructor(name: string, schema: z.ZodType<T>, most: number) {
    this.#name = name;
    this.#schema = schema;
    this.#most = most;
  }

  async append(draft: MachineDraft, owner: string, record: T): Promise<void> {
    const n = ((await draft.get(this.#countKey(owner))) as number | undefined) ?? 0;
    draft.put[this.#countKey(owner)] = n + 1;
    draft.put[this.#slotKey(owner, n)] = { n, record } satisfies Held;
  }

  /** How many records ever came. */
  async count(store: StateStore, owner: string): Promise<number> {
    return ((await store.get(this.#countKey(owner)))?.value as number | undefined) ?? 0;
  }

  /** Those from the `after`th on that are still kept. */
  async read(store: StateStore, owner: string, after = 0): Promise<T[]> {
    const held = (await store.list(`${this.#name}-records/${owner}/`)).map(({ value }) => value as Held);
    return this.#inOrder(held.filter(({ n }) => n >= after));
  }

  /** Of every owner. */
  async readAll(store: StateStore): Promise<T[]> {
    const held = (await store.list(`${this.#name}-records/`)).map(({ value }) => value as Held);
    return this.#inOrder(held);
  }

  #inOrder(held: readonly Held[]): T[] {
    return held.toSorted((a, b) => a.n - b.n).map(({ record }) => this.#schema.parse(record));
  }

  #countKey(owner: string): string {
    return `${this.#name}-counts/${owner}`;
  }

  #slotKey(owner: string, n: number): string {
    return `${this.#name}-records/${owner}/${String(n % this.#most).padStart(4, '0')}`;
  }
}

export const machineRecords = new RecordRing('machine', EdgeRecord, RING_MOST);
/** Owned by segments; of what names none, by `-`. */
export const alarmRecords = new RecordRing('alarm', EdgeRecord, RING_MOST);
/** The history of each machine: how it came to its state. */
export const machineMoves = new RecordRing('machine-move', MachineMove, MOVES_MOST);

const RECORD_KEY = /^(machine|alarm|machine-move)-(records|counts)\//;

/** Records are most of what is written, and nobody keeps a copy of them: who wants some reads them. */
export function isRecordKey(key: string): boolean {
  return RECORD_KEY.test(key);
}
