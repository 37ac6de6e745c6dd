import { EdgeRecord } from '@bootswarm/controller/contract';
import type { StateStore } from '../store/state-store.ts';
import type { MachineDraft } from './machine-draft.ts';

/** Of each machine, and of the alarms of each segment. */
export const RING_MOST = 1000;

interface Held {
  /** Counts up by one in each ring. */
  readonly n: number;
  readonly record: EdgeRecord;
}

/**
 * The last thousand records of an owner, in the order in which they arrived. A record takes the place of the one a
 * thousand before it, so that keeping to the bound costs nothing.
 */
class RecordRing {
  readonly #name: string;

  /** @param name of the kind, as it stands in the keys. */
  constructor(name: string) {
    this.#name = name;
  }

  async append(draft: MachineDraft, owner: string, record: EdgeRecord): Promise<void> {
    const n = ((await draft.get(this.#countKey(owner))) as number | undefined) ?? 0;
    draft.put[this.#countKey(owner)] = n + 1;
    draft.put[this.#slotKey(owner, n)] = { n, record } satisfies Held;
  }

  /** How many records ever came. */
  async count(store: StateStore, owner: string): Promise<number> {
    return ((await store.get(this.#countKey(owner)))?.value as number | undefined) ?? 0;
  }

  /** Those from the `after`th on that are still kept. */
  async read(store: StateStore, owner: string, after = 0): Promise<EdgeRecord[]> {
    const held = (await store.list(`${this.#name}-records/${owner}/`)).map(({ value }) => value as Held);
    return inOrder(held.filter(({ n }) => n >= after));
  }

  /** Of every owner. */
  async readAll(store: StateStore): Promise<EdgeRecord[]> {
    const held = (await store.list(`${this.#name}-records/`)).map(({ value }) => value as Held);
    return inOrder(held);
  }

  #countKey(owner: string): string {
    return `${this.#name}-counts/${owner}`;
  }

  #slotKey(owner: string, n: number): string {
    return `${this.#name}-records/${owner}/${String(n % RING_MOST).padStart(4, '0')}`;
  }
}

function inOrder(held: readonly Held[]): EdgeRecord[] {
  return held.toSorted((a, b) => a.n - b.n).map(({ record }) => EdgeRecord.parse(record));
}

export const machineRecords = new RecordRing('machine');
/** Owned by segments; of what names none, by `-`. */
export const alarmRecords = new RecordRing('alarm');
