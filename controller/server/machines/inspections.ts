import { isDeepStrictEqual } from 'node:util';
import {
  applyRules,
  hardwareChanges,
  hardwareMark,
  hardwareOf,
  INSPECTIONS_MOST,
  type InspectionSummary,
  inspected,
  KeptInspection,
  type Machine,
  problem,
  type SentInspection,
} from '@bootswarm/controller/contract';
import type { StateStore } from '../store/state-store.ts';
import { type Reads, transact } from '../store/transact.ts';
import { newMachineId } from './keys.ts';
import { MachineDraft } from './machine-draft.ts';
import { unknownMachine } from './machines.ts';
import { inspected as movedByInspection, welcomed } from './newcomers.ts';
import type { MachineRules } from './rules.ts';

/** What agents found out about machines: the last ones of each. */
export class Inspections {
  readonly #store: StateStore;
  readonly #rules: Pick<MachineRules, 'within'>;

  constructor(store: StateStore, rules: Pick<MachineRules, 'within'>) {
    this.#store = store;
    this.#rules = rules;
  }

  /** Takes what an edge sends; one that is kept already is passed over. A machine that nobody knew is made. */
  take(edge: string, { mac, uuid, segment, inspection }: SentInspection, now: Date): Promise<void> {
    return transact(this.#store, `the inspections of ${mac}`, async (reads) => {
      const draft = new MachineDraft(reads);
      const known = await draft.sighted({ mac, uuid });
      const machine: Machine =
        known ??
        (await welcomed(draft, {
          id: newMachineId(),
          macs: [mac],
          ...(uuid === undefined ? {} : { uuid }),
          ...(segment === undefined ? {} : { segment }),
        }));
      const count = ((await draft.get(countKey(machine.id))) as number | undefined) ?? 0;
      for (let number = Math.max(1, count - INSPECTIONS_MOST + 1); number <= count; number++) {
        const held = KeptInspection.safeParse(await draft.get(slotKey(machine.id, number)));
        if (held.success && isDeepStrictEqual(held.data.inspection, inspection)) return { result: undefined };
      }
      const number = count + 1;
      const described = await this.#described(machine, inspection, { draft, reads, now });
      const kept: KeptInspection = { number, receivedAt: now.toISOString(), edge, inspection };
      await draft.keep(await movedByInspection(draft, described, now));
      draft.put[countKey(machine.id)] = number;
      draft.put[slotKey(machine.id, number)] = kept;
      return { put: draft.put, result: undefined };
    });
  }

  /** The machine as an inspection found it: what it has in it, where it is, and whether its hardware changed. */
  async #described(
    machine: Machine,
    inspection: SentInspection['inspection'],
    { draft, reads, now }: { readonly draft: MachineDraft; readonly reads: Reads; readonly now: Date },
  ): Promise<Machine> {
    const accepted = (await draft.get(hardwareKey(machine.id))) as object | undefined;
    if (accepted === undefined) draft.put[hardwareKey(machine.id)] = hardwareOf(inspection);
    const changes = accepted === undefined ? [] : hardwareChanges(accepted, inspection);
    const mark = hardwareMark(changes, machine.hardwareChanged?.since ?? now.toISOString());
    const { hardwareChanged: _, ...rest } = machine;
    const found = inspected(
      { ...rest, ...(mark === undefined ? {} : { hardwareChanged: mark }) },
      inspection,
    );
    return applyRules(await this.#rules.within(reads), found);
  }

  /**
   * What the last inspection found is as it should be from now on.
   * @param key id, name, UUID or MAC. @throws Problem not_found, inspection_none
   */
  acceptHardware(key: string): Promise<Machine> {
    return transact(this.#store, `machine ${key}`, async (reads) => {
      const draft = new MachineDraft(reads);
      const machine = await draft.find(key);
      if (!machine) throw unknownMachine(key);
      const number = ((await draft.get(countKey(machine.id))) as number | undefined) ?? 0;
      const last = KeptInspection.safeParse(await draft.get(slotKey(machine.id, number)));
      if (!last.success) throw problem('inspection_none', { facts: { machine: machine.id, number: 'yet' } });
      const { hardwareChanged: _, ...accepted } = machine;
      draft.put[hardwareKey(machine.id)] = hardwareOf(last.data.inspection);
      await draft.keep(accepted);
      return { put: draft.put, result: accepted };
    });
  }

  /** Oldest first. @param key id, name, UUID or MAC. @throws Problem not_found */
  async list(key: string): Promise<InspectionSummary[]> {
    return (await this.#of(key)).map(({ inspection: { takenAt }, ...rest }) => ({ ...rest, takenAt }));
  }

  /** @throws Problem not_found, inspection_none */
  async show(key: string, number: number): Promise<KeptInspection> {
    const found = (await this.#of(key)).find((each) => each.number === number);
    if (found) return found;
    throw problem('inspection_none', { field: 'number', facts: { machine: key, number } });
  }

  async #of(key: string): Promise<readonly KeptInspection[]> {
    const machine = await new MachineDraft(this.#store).find(key);
    if (!machine) throw unknownMachine(key);
    const entries = await this.#store.list(`${PREFIX}${machine.id}/`);
    return entries.map(({ value }) => KeptInspection.parse(value)).toSorted((a, b) => a.number - b.number);
  }
}

const PREFIX = 'inspections/';

/** The hardware that was accepted: that of the first inspection, until an operator accepts another. */
function hardwareKey(id: string): string {
  return `machine-hardware/${id}`;
}

function countKey(id: string): string {
  return `inspection-counts/${id}`;
}

/** An inspection takes the place of the one twenty before it. */
function slotKey(id: string, number: number): string {
  return `${PREFIX}${id}/${String(number % INSPECTIONS_MOST).padStart(2, '0')}`;
}
