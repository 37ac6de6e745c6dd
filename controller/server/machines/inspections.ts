import { isDeepStrictEqual } from 'node:util';
import {
  INSPECTIONS_MOST,
  type InspectionSummary,
  KeptInspection,
  type Machine,
  problem,
  type SentInspection,
} from '@bootswarm/controller/contract';
import type { StateStore } from '../store/state-store.ts';
import { transact } from '../store/transact.ts';
import { newMachineId } from './keys.ts';
import { MachineDraft } from './machine-draft.ts';
import { unknownMachine } from './machines.ts';
import { inspected, welcomed } from './newcomers.ts';

/** What agents found out about machines: the last ones of each. */
export class Inspections {
  readonly #store: StateStore;

  constructor(store: StateStore) {
    this.#store = store;
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
      const kept: KeptInspection = { number, receivedAt: now.toISOString(), edge, inspection };
      await draft.keep(await inspected(draft, machine, now));
      draft.put[countKey(machine.id)] = number;
      draft.put[slotKey(machine.id, number)] = kept;
      return { put: draft.put, result: undefined };
    });
  }

  /** Oldest first. @param key id, UUID or MAC. @throws Problem not_found */
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

function countKey(id: string): string {
  return `inspection-counts/${id}`;
}

/** An inspection takes the place of the one twenty before it. */
function slotKey(id: string, number: number): string {
  return `${PREFIX}${id}/${String(number % INSPECTIONS_MOST).padStart(2, '0')}`;
}
