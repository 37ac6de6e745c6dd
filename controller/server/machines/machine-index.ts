import { setImmediate as nextTurn } from 'node:timers/promises';
import { Machine, matcherOf, selectorOf } from '@bootswarm/controller/contract';
import type { StateStore } from '../store/state-store.ts';
import { MACHINES_PREFIX } from './keys.ts';

/** Machines that are read at once, so that others get their turn in between. */
const PAGE = 1000;

/** Which of the machines are wanted. */
export interface MachineChoice {
  /** A selector; all where there is none. */
  readonly match?: string | undefined;
  readonly limit?: number | undefined;
  /** The id of the last machine of the page before. */
  readonly cursor?: string | undefined;
}

/**
 * All machines as they stand in the store, in memory and in the order of their ids. What changed since it was asked last
 * is read when it is asked again, and nothing else; so it may be asked as often as one likes. Nobody changes what it gives.
 */
export class MachineIndex {
  readonly #store: StateStore;
  /** By key, in the order of keys unless `#isSorted` says otherwise. */
  #machines = new Map<string, Machine>();
  #isSorted = true;
  #list: readonly Machine[] | undefined = [];
  /** Every change up to it is in. Below 0 nothing was read yet. */
  #revision = -1;
  #reading: Promise<void> | undefined;

  constructor(store: StateStore) {
    this.#store = store;
  }

  /** As they are at the time of the call, or later. */
  async all(): Promise<readonly Machine[]> {
    const revision = await this.#store.revision();
    while (this.#revision < revision) {
      this.#reading ??= this.#read().finally(() => {
        this.#reading = undefined;
      });
      await this.#reading;
    }
    return this.#inOrder();
  }

  async find({
    match = '',
    limit = Number.POSITIVE_INFINITY,
    cursor = '',
  }: MachineChoice): Promise<Machine[]> {
    const isMeant = matcherOf(selectorOf(match));
    const found: Machine[] = [];
    for (const machine of await this.all()) {
      if (found.length >= limit) break;
      if (machine.id > cursor && isMeant(machine)) found.push(machine);
    }
    return found;
  }

  async #read(): Promise<void> {
    // Asked before anything is read: what changes meanwhile is read again the next time.
    const revision = await this.#store.revision();
    const changed = this.#revision < 0 ? undefined : await this.#store.changesSince(this.#revision);
    if (changed === undefined) await this.#readAll();
    else await this.#readSome([...changed].filter((key) => key.startsWith(MACHINES_PREFIX)));
    this.#revision = revision;
  }

  async #readAll(): Promise<void> {
    const machines = new Map<string, Machine>();
    for (let after = MACHINES_PREFIX; ; ) {
      const entries = await this.#store.list(MACHINES_PREFIX, { after, limit: PAGE });
      for (const { key, value } of entries) machines.set(key, Machine.parse(value));
      const last = entries.at(-1);
      if (last === undefined || entries.length < PAGE) break;
      after = last.key;
      await nextTurn();
    }
    this.#machines = machines;
    this.#isSorted = true;
    this.#list = undefined;
  }

  async #readSome(keys: readonly string[]): Promise<void> {
    for (const [at, key] of keys.entries()) {
      const entry = await this.#store.get(key);
      if (entry === undefined) this.#machines.delete(key);
      else {
        this.#isSorted &&= this.#machines.has(key);
        this.#machines.set(key, Machine.parse(entry.value));
      }
      if (at % PAGE === PAGE - 1) await nextTurn();
    }
    if (keys.length > 0) this.#list = undefined;
  }

  #inOrder(): readonly Machine[] {
    if (this.#list !== undefined) return this.#list;
    if (!this.#isSorted) this.#machines = new Map([...this.#machines].sort(([a], [b]) => (a < b ? -1 : 1)));
    this.#isSorted = true;
    this.#list = [...this.#machines.values()];
    return this.#list;
  }
}
