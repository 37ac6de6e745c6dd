import { ROLLOUT_STATES, Rollout, RolloutMachine } from '@bootswarm/controller/contract';
import type { StateStore } from '../store/state-store.ts';
import { ROLLOUTS_PREFIX, recordsPrefix, rolloutKey } from './keys.ts';
import type { RolloutView } from './planner/index.ts';

interface Held {
  rollout: Rollout;
  /** In the order of waves, and of ids within each. */
  readonly machines: RolloutMachine[];
  readonly places: ReadonlyMap<string, number>;
  changes: number;
}

/**
 * Rollouts that are not over, as they stand in the store: so that a tick parses nothing. Whoever commits a change puts
 * it here as well; what is here is never ahead of the store.
 */
export class Board {
  readonly #held = new Map<string, Held>();

  async load(store: StateStore): Promise<void> {
    this.#held.clear();
    for (const { value } of await store.list(ROLLOUTS_PREFIX)) {
      const rollout = Rollout.parse(value);
      if (!isOver(rollout)) this.put(rollout, await readMachines(store, rollout.order.name));
    }
  }

  /** A rollout with all its machines, as it was started or taken up again. */
  put(rollout: Rollout, machines: readonly RolloutMachine[]): void {
    const inOrder = machines.toSorted((a, b) => a.wave - b.wave || (a.machine < b.machine ? -1 : 1));
    this.#held.set(rollout.order.name, {
      rollout,
      machines: inOrder,
      places: new Map(inOrder.map(({ machine }, at) => [machine, at])),
      changes: (this.#held.get(rollout.order.name)?.changes ?? 0) + 1,
    });
  }

  /** A rollout that is over is forgotten here; the store keeps it. */
  turn(rollout: Rollout): void {
    const { name } = rollout.order;
    const held = this.#held.get(name);
    if (!held) return;
    held.rollout = rollout;
    held.changes += 1;
    if (isOver(rollout)) this.#held.delete(name);
  }

  move(name: string, records: readonly RolloutMachine[]): void {
    const held = this.#held.get(name);
    if (!held) return;
    for (const record of records) {
      const at = held.places.get(record.machine);
      if (at !== undefined) held.machines[at] = record;
    }
    held.changes += records.length;
  }

  get(name: string): (RolloutView & { readonly changes: number }) | undefined {
    return this.#held.get(name);
  }

  record(name: string, machine: string): RolloutMachine | undefined {
    const held = this.#held.get(name);
    const at = held?.places.get(machine);
    return at === undefined ? undefined : held?.machines[at];
  }

  /** The eldest first. */
  views(): readonly RolloutView[] {
    return [...this.#held.values()].toSorted((a, b) =>
      a.rollout.startedAt === b.rollout.startedAt
        ? a.rollout.order.name < b.rollout.order.name
          ? -1
          : 1
        : a.rollout.startedAt < b.rollout.startedAt
          ? -1
          : 1,
    );
  }
}

export function isOver({ state }: Pick<Rollout, 'state'>): boolean {
  return ROLLOUT_STATES[state].isOver;
}

export async function readMachines(store: StateStore, name: string): Promise<RolloutMachine[]> {
  return (await store.list(recordsPrefix(name))).map(({ value }) => RolloutMachine.parse(value));
}

export async function readRollout(
  reads: Pick<StateStore, 'get'>,
  name: string,
): Promise<Rollout | undefined> {
  const entry = await reads.get(rolloutKey(name));
  return entry && Rollout.parse(entry.value);
}
