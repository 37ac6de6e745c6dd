import { isDeepStrictEqual } from 'node:util';
import {
  applyRules,
  faultsText,
  type ImportReceipt,
  type ImportRow,
  Labels,
  type Machine,
  type MachineImport,
  type MachineRegistration,
  problem,
  type RowFault,
  readImport,
  type TraitsChange,
} from '@bootswarm/controller/contract';
import { SEGMENTS_PREFIX } from '../edges/segments.ts';
import type { StateStore } from '../store/state-store.ts';
import { type Reads, transact } from '../store/transact.ts';
import { nameKey, newMachineId } from './keys.ts';
import { MachineDraft } from './machine-draft.ts';
import type { MachineIndex } from './machine-index.ts';
import { unknownMachine } from './machines.ts';
import type { MachineRules } from './rules.ts';

/** Read and written by all that registers machines, so that no two get the same name or serial. */
const GUARD = 'guards/registration';

interface RegistrationParts {
  readonly store: StateStore;
  readonly index: MachineIndex;
  readonly rules: MachineRules;
}

type Outcome = 'added' | 'changed' | 'unchanged';

/** Machines that operators make known before anybody hears them, and what they say of known ones. */
export class Registration {
  readonly #parts: RegistrationParts;

  constructor(parts: RegistrationParts) {
    this.#parts = parts;
  }

  /** @throws Problem input_invalid with what is wrong */
  register(registration: MachineRegistration): Promise<Machine> {
    return this.#transact('a registration', async (placing) => {
      const placed = await placing.place({ line: 1, machine: registration });
      if ('faults' in placed) {
        const [{ field, reason } = { field: 'macs', reason: '' }] = placed.faults;
        throw problem('input_invalid', { field, facts: { reason } });
      }
      return placed.machine;
    });
  }

  /** All rows, or none and all that is wrong with them. @throws Problem import_refused */
  import(request: MachineImport): Promise<ImportReceipt> {
    const { dryRun } = request;
    const read = readImport(request);
    return this.#transact(
      'an import',
      async (placing) => {
        const counts: Record<Outcome, number> = { added: 0, changed: 0, unchanged: 0 };
        const faults = [...read.faults];
        for (const row of read.rows) {
          const placed = await placing.place(row);
          if ('faults' in placed) faults.push(...placed.faults);
          else counts[placed.outcome] += 1;
        }
        if (faults.length === 0) return { ...counts, dryRun };
        const count = new Set(faults.map(({ line }) => line)).size;
        throw problem('import_refused', {
          field: 'rows',
          facts: { count, total: request.rows.length, list: faultsText(faults) },
        });
      },
      dryRun,
    );
  }

  /**
   * Sets labels and class by hand, or takes back what was set: then rules say it again.
   * @param key id, name, UUID or MAC. @throws Problem not_found, input_invalid
   */
  change(key: string, { labels = {}, class: name }: TraitsChange): Promise<Machine> {
    const { store, rules } = this.#parts;
    return transact(store, `machine ${key}`, async (reads) => {
      const draft = new MachineDraft(reads);
      const known = await draft.find(key);
      if (!known) throw unknownMachine(key);
      const set = { ...known.byHand?.labels, ...labels };
      const parsed = Labels.safeParse(
        Object.fromEntries(Object.entries(set).filter(([, to]) => to !== null)),
      );
      if (!parsed.success)
        throw problem('input_invalid', {
          field: 'labels',
          facts: { reason: parsed.error.issues[0]?.message ?? '' },
        });
      const own = name === undefined ? known.byHand?.class : name;
      const byHand = {
        ...(Object.keys(parsed.data).length > 0 ? { labels: parsed.data } : {}),
        ...(own === undefined || own === null ? {} : { class: own }),
      };
      const { byHand: _, ...rest } = known;
      const changed = Object.keys(byHand).length > 0 ? { ...rest, byHand } : rest;
      const machine = applyRules(await rules.within(reads), changed);
      await draft.keep(machine);
      return { put: draft.put, result: machine };
    });
  }

  #transact<T>(what: string, run: (placing: Placing) => Promise<T>, dryRun = false): Promise<T> {
    const { store, index, rules } = this.#parts;
    return transact(store, what, async (reads) => {
      await reads.get(GUARD);
      const serials = new Map<string, Machine>();
      for (const machine of await index.all())
        if (machine.serial !== undefined) serials.set(machine.serial, machine);
      const placing = new Placing(reads, serials, await rules.within(reads));
      const result = await run(placing);
      if (dryRun || !placing.hasChanges) return { result };
      return { put: { ...placing.put, [GUARD]: 1 }, remove: placing.freed, result };
    });
  }
}

/** Finds the place of one registration after the other, as one transaction. */
class Placing {
  readonly #draft: MachineDraft;
  readonly #reads: Reads;
  readonly #serials: Map<string, Machine>;
  readonly #rules: Parameters<typeof applyRules>[0];
  /** Names that their machine gave up. */
  readonly #freed = new Set<string>();

  constructor(reads: Reads, serials: Map<string, Machine>, rules: Parameters<typeof applyRules>[0]) {
    this.#draft = new MachineDraft(reads);
    this.#reads = reads;
    this.#serials = serials;
    this.#rules = rules;
  }

  get put(): Readonly<Record<string, unknown>> {
    return this.#draft.put;
  }

  get freed(): readonly string[] {
    return [...this.#freed].filter((key) => !Object.hasOwn(this.#draft.put, key));
  }

  get hasChanges(): boolean {
    return Object.keys(this.#draft.put).length > 0;
  }

  async place({
    line,
    machine: row,
  }: ImportRow): Promise<
    { readonly machine: Machine; readonly outcome: Outcome } | { readonly faults: readonly RowFault[] }
  > {
    const faults: RowFault[] = [];
    const known = await this.#known(line, row, faults);
    await this.#checkTaken(line, row, known, faults);
    if (row.segment !== undefined && !(await this.#reads.get(SEGMENTS_PREFIX + row.segment)))
      faults.push({
        line,
        field: 'segment',
        reason: `is ${row.segment}, which does not exist: add it first, or choose one of 'bootswarm segment list'`,
      });
    if (faults.length > 0) return { faults };
    const machine = applyRules(this.#rules, described(known ?? { id: newMachineId(), macs: [] }, row));
    if (known && isDeepStrictEqual(machine, known)) return { machine, outcome: 'unchanged' };
    await this.#keep(known, machine);
    return { machine, outcome: known ? 'changed' : 'added' };
  }

  /** The machine that a row is about; undefined where nobody knows it yet. */
  async #known(line: number, row: MachineRegistration, faults: RowFault[]): Promise<Machine | undefined> {
    const found = new Map<string, Machine>();
    for (const [at, mac] of row.macs.entries()) {
      const sighted = await this.#draft.sighted({ mac, uuid: row.uuid });
      if (sighted) found.set(sighted.id, sighted);
      const carrier = sighted ?? (await this.#draft.sighted({ mac }));
      if (carrier && !sighted)
        faults.push({
          line,
          field: `macs[${at}]`,
          reason: `is ${mac} of machine ${carrier.id}, whose UUID is ${carrier.uuid}: correct one of the two`,
        });
    }
    const [first, second] = found.values();
    if (first && second)
      faults.push({
        line,
        field: 'macs',
        reason: `are of two machines, ${first.id} and ${second.id}: give each a row of its own`,
      });
    return first;
  }

  /** Name and serial, which nobody else may have. */
  async #checkTaken(
    line: number,
    row: MachineRegistration,
    known: Machine | undefined,
    faults: RowFault[],
  ): Promise<void> {
    const taken = (field: 'name' | 'serial', value: string, id: string): void => {
      faults.push({ line, field, reason: `is ${value}, which machine ${id} has already: choose another` });
    };
    if (row.name !== undefined) {
      const key = nameKey(row.name);
      const owner =
        this.#freed.has(key) && !Object.hasOwn(this.put, key) ? undefined : await this.#draft.get(key);
      if (owner !== undefined && owner !== known?.id) taken('name', row.name, String(owner));
    }
    if (row.serial === undefined) return;
    const owner = this.#serials.get(row.serial);
    if (owner && owner.id !== known?.id) taken('serial', row.serial, owner.id);
    const inspected = known?.properties?.disks === undefined ? undefined : known.serial;
    if (inspected !== undefined && inspected !== row.serial)
      faults.push({
        line,
        field: 'serial',
        reason: `is ${row.serial}, but machine ${known?.id} said ${inspected} when it was inspected: correct the row`,
      });
  }

  async #keep(known: Machine | undefined, machine: Machine): Promise<void> {
    await this.#draft.keep(machine);
    if (machine.serial !== undefined) this.#serials.set(machine.serial, machine);
    if (known?.name !== undefined && known.name !== machine.name) {
      this.#freed.add(nameKey(known.name));
      delete this.#draft.put[nameKey(known.name)];
    }
    if (machine.name !== undefined && machine.name !== known?.name)
      this.#draft.put[nameKey(machine.name)] = machine.id;
  }
}

/** The machine with what an operator says of it. Where it was seen says more than where it is expected. */
function described(known: Machine, row: MachineRegistration): Machine {
  const { rack, position, architecture, labels, class: name, segment, macs, ...own } = row;
  const byHand = {
    ...known.byHand,
    ...(name === undefined ? {} : { class: name }),
    ...(labels === undefined ? {} : { labels: { ...known.byHand?.labels, ...labels } }),
  };
  const location = {
    ...known.location,
    ...(rack === undefined ? {} : { rack }),
    ...(position === undefined ? {} : { position }),
  };
  return {
    ...known,
    ...own,
    macs: [...new Set([...known.macs, ...macs])],
    ...(segment === undefined || known.lastSeenAt !== undefined ? {} : { segment }),
    ...(Object.keys(byHand).length > 0 ? { byHand } : {}),
    ...(Object.keys(location).length > 0 ? { location } : {}),
    ...(architecture === undefined ? {} : { properties: { ...known.properties, architecture } }),
  };
}
