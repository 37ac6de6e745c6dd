import type { DiskWork } from '../decide/work-step.ts';
import type { EdgeStore } from './edge-store.ts';

/**
 * What this edge remembers of work on the disks of machines, across restarts: an epoch is never done twice. What is
 * remembered and what the journal says of it are one write, so that neither is ever without the other.
 */
export class WorkLedger {
  readonly #store: Pick<EdgeStore, 'keepWork'>;
  readonly #works: Map<string, DiskWork>;

  constructor(store: Pick<EdgeStore, 'keepWork'>, kept: ReadonlyMap<string, DiskWork>) {
    this.#store = store;
    this.#works = new Map(kept);
  }

  static open(store: EdgeStore): WorkLedger {
    return new WorkLedger(store, store.works());
  }

  workOf(machineId: string): DiskWork | undefined {
    return this.#works.get(machineId);
  }

  /** Of every machine, by its id. */
  all(): Iterable<readonly [string, DiskWork]> {
    return this.#works;
  }

  /**
   * Remembers: at once for whoever asks here, for good once it resolves. Nobody may be told anything before.
   * @throws what the disk says where it does not take it; it is forgotten then.
   */
  async note(machineId: string, work: DiskWork): Promise<void> {
    const before = this.#works.get(machineId);
    this.#works.set(machineId, work);
    try {
      await this.#store.keepWork(machineId, work);
    } catch (error) {
      if (this.#works.get(machineId) === work) {
        if (before) this.#works.set(machineId, before);
        else this.#works.delete(machineId);
      }
      throw error;
    }
  }
}
