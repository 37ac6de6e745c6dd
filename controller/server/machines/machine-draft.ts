import { Mac, Machine, matchMachine, type Sighting, tellingUuid, Uuid } from '@bootswarm/controller/contract';
import type { Reads } from '../store/transact.ts';
import { dueKey, machineKey, macKey, nameKey, uuidKey } from './keys.ts';

/**
 * Machines as one transaction sees and changes them, each found by its keys and none by looking through all. Whatever
 * it read must be unchanged when the transaction commits: so of two that make the same machine at once, the second
 * begins anew and finds it.
 */
export class MachineDraft {
  /** What the transaction is to put. */
  readonly put: Record<string, unknown> = {};
  readonly #reads: Pick<Reads, 'get'>;
  readonly #read = new Map<string, unknown>();
  /** As they stand in `put`, or were read: a batch of records is of few machines. */
  readonly #machines = new Map<string, Machine>();

  constructor(reads: Pick<Reads, 'get'>) {
    this.#reads = reads;
  }

  /** A value as this transaction has left it so far. */
  async get(key: string): Promise<unknown> {
    if (Object.hasOwn(this.put, key)) return this.put[key];
    if (!this.#read.has(key)) this.#read.set(key, (await this.#reads.get(key))?.value);
    return this.#read.get(key);
  }

  async machine(id: string): Promise<Machine | undefined> {
    const kept = this.#machines.get(id);
    if (kept) return kept;
    const value = await this.get(machineKey(id));
    if (value === undefined) return undefined;
    const machine = Machine.parse(value);
    this.#machines.set(id, machine);
    return machine;
  }

  /** The machine that a sighting belongs to: `matchMachine` over those that can. */
  async sighted(sighting: Sighting): Promise<Machine | undefined> {
    const uuid = tellingUuid(sighting.uuid);
    const id = uuid === undefined ? undefined : await this.get(uuidKey(uuid));
    if (id !== undefined) return this.machine(id as string);
    const carriers: Machine[] = [];
    for (const carrier of await this.#carriersOf(sighting.mac)) {
      const machine = await this.machine(carrier);
      if (machine) carriers.push(machine);
    }
    return matchMachine(carriers, sighting);
  }

  /** By id, name, UUID or MAC, however they are written. */
  async find(key: string): Promise<Machine | undefined> {
    const uuid = Uuid.safeParse(key).data;
    if (uuid !== undefined) {
      const id = await this.get(uuidKey(uuid));
      return id === undefined ? undefined : this.machine(id as string);
    }
    const mac = Mac.safeParse(key).data;
    if (mac !== undefined) return this.sighted({ mac });
    const named = (await this.machine(key)) ? undefined : await this.get(nameKey(key));
    return this.machine(named === undefined ? key : (named as string));
  }

  /** Puts a machine, the keys by which it is found, and those by which what is due of it is. */
  async keep(machine: Machine): Promise<void> {
    this.put[machineKey(machine.id)] = machine;
    this.#machines.set(machine.id, machine);
    const { uuid, macs, id, deadlineAt, installAt } = machine;
    for (const at of [deadlineAt, installAt])
      if (at !== undefined && (await this.get(dueKey(at, id))) === undefined) this.put[dueKey(at, id)] = 1;
    if (uuid !== undefined && (await this.get(uuidKey(uuid))) === undefined) this.put[uuidKey(uuid)] = id;
    for (const mac of macs) {
      const carriers = await this.#carriersOf(mac);
      if (!carriers.includes(id)) this.put[macKey(mac)] = [...carriers, id].toSorted();
    }
  }

  async #carriersOf(mac: string): Promise<readonly string[]> {
    return ((await this.get(macKey(mac))) ?? []) as readonly string[];
  }
}
