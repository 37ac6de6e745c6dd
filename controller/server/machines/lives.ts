import type {
  Machine,
  MachineMove,
  MachineRelease,
  MachineStateChange,
  Maintenance,
  Motion,
  Mover,
} from '@bootswarm/controller/contract';
import type { StateStore } from '../store/state-store.ts';
import { transact } from '../store/transact.ts';
import { intoMaintenance, outOfMaintenance, override, released } from './life.ts';
import { MachineDraft } from './machine-draft.ts';
import { unknownMachine } from './machines.ts';
import { machineMoves } from './record-ring.ts';

/** How operators and rollouts move machines, and how machines came to their states. Each move is one commit. */
export class Lives {
  readonly #store: StateStore;

  constructor(store: StateStore) {
    this.#store = store;
  }

  /** @param key id, name, UUID or MAC. @throws Problem not_found, machine_state_not_allowed */
  override(
    key: string,
    { to, reason }: MachineStateChange,
    at: Date,
    by: Mover = 'operator',
  ): Promise<Machine> {
    return this.#change(key, (draft, machine) => override(draft, machine, to, { at, by, reason }));
  }

  /** Into maintenance, or out of it to what the machine was. @throws Problem not_found */
  maintain(key: string, { isOn, reason }: Maintenance, at: Date): Promise<Machine> {
    const motion: Motion = { at, by: 'operator', reason };
    return this.#change(key, (draft, machine) =>
      isOn ? intoMaintenance(draft, machine, motion) : outOfMaintenance(draft, machine, motion),
    );
  }

  /** Arms a wipe of all its disks, after which it is available. @throws Problem not_found, machine_state_not_allowed */
  release(key: string, { method, reason }: MachineRelease, at: Date): Promise<Machine> {
    const wipe = { kind: 'wipe', disks: 'all', method } as const;
    return this.#change(key, (draft, machine) =>
      released(draft, machine, wipe, { at, by: 'operator', reason }),
    );
  }

  /** Newest first. @throws Problem not_found */
  async history(key: string): Promise<MachineMove[]> {
    const machine = await new MachineDraft(this.#store).find(key);
    if (!machine) throw unknownMachine(key);
    return (await machineMoves.read(this.#store, machine.id)).reverse();
  }

  #change(
    key: string,
    change: (draft: MachineDraft, machine: Machine) => Promise<Machine>,
  ): Promise<Machine> {
    return transact(this.#store, `machine ${key}`, async (reads) => {
      const draft = new MachineDraft(reads);
      const known = await draft.find(key);
      if (!known) throw unknownMachine(key);
      const machine = await change(draft, known);
      if (machine === known) return { result: known };
      await draft.keep(machine);
      return { put: draft.put, result: machine };
    });
  }
}
