import {
  type Intent,
  Mac,
  Machine,
  type MachineStory,
  matchMachine,
  problem,
  Uuid,
} from '@bootswarm/controller/contract';
import type { StateStore } from '../store/state-store.ts';
import { transact } from '../store/transact.ts';
import { GUARD, JOURNAL_PREFIX, MACHINES_PREFIX, machineKey, newMachineId } from './keys.ts';

/** Records of a machine that `show` gives, newest first. */
const STORY_MOST = 100;

export class Machines {
  readonly #store: StateStore;
  readonly #checkIntent: (intent: Intent) => Promise<void>;

  /** @param checkIntent throws a Problem where an intent names what does not exist. */
  constructor(store: StateStore, checkIntent: (intent: Intent) => Promise<void>) {
    this.#store = store;
    this.#checkIntent = checkIntent;
  }

  async list(): Promise<Machine[]> {
    const entries = await this.#store.list(MACHINES_PREFIX);
    return entries.map(({ value }) => Machine.parse(value));
  }

  /** @param key id, UUID or MAC. @throws Problem not_found */
  async show(key: string): Promise<MachineStory> {
    const machine = find(await this.list(), key);
    if (!machine) throw problem('not_found', { facts: { kind: 'machine', name: key } });
    const entries = await this.#store.list(`${JOURNAL_PREFIX}${machine.id}/`);
    const journal = entries
      .slice(-STORY_MOST)
      .reverse()
      .map(({ value }) => value as MachineStory['journal'][number]);
    return { ...machine, journal };
  }

  /** A MAC that nobody carries registers a machine. @throws Problem not_found, machine_release_unknown */
  async setIntent(key: string, intent: Intent): Promise<Machine> {
    await this.#checkIntent(intent);
    return transact(this.#store, `machine ${key}`, async (reads) => {
      await reads.get(GUARD);
      const known = find(await this.list(), key);
      if (known) {
        const entry = await reads.get(machineKey(known.id));
        const machine: Machine = { ...Machine.parse(entry?.value), intent };
        return { put: { [machineKey(machine.id)]: machine }, result: machine };
      }
      const mac = Mac.safeParse(key).data;
      if (mac === undefined) throw problem('not_found', { facts: { kind: 'machine', name: key } });
      const machine: Machine = { id: newMachineId(), macs: [mac], intent };
      return { put: { [machineKey(machine.id)]: machine, [GUARD]: machine.id }, result: machine };
    });
  }
}

function find(machines: readonly Machine[], key: string): Machine | undefined {
  const byId = machines.find((machine) => machine.id === key);
  if (byId) return byId;
  const uuid = Uuid.safeParse(key).data;
  if (uuid !== undefined) return machines.find((machine) => machine.uuid === uuid);
  const mac = Mac.safeParse(key).data;
  return mac === undefined ? undefined : matchMachine(machines, { mac });
}
