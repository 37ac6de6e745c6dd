import {
  type EdgeRecord,
  type Intent,
  intentText,
  Mac,
  type Machine,
  type MachineJournal,
  type MachineStory,
  MachineVariables,
  type Motion,
  problem,
  Uuid,
} from '@bootswarm/controller/contract';
import type { CheckIntent } from '../catalogue/release-uses.ts';
import { LongPolls } from '../store/long-poll.ts';
import type { StateStore } from '../store/state-store.ts';
import { type Plan, type Reads, transact } from '../store/transact.ts';
import { newMachineId } from './keys.ts';
import { give } from './life.ts';
import { MachineDraft } from './machine-draft.ts';
import { type MachineChoice, MachineIndex } from './machine-index.ts';
import { alarmRecords, machineRecords, RING_MOST } from './record-ring.ts';

/** Records of a machine that `show` gives, newest first. */
const STORY_MOST = 100;

export interface JournalWait {
  /** The cursor of the call before; 0 for all that is kept. */
  readonly after: number;
  readonly waitMs: number;
}

/** Whether an intent suits the machine that it is for. @throws Problem where it does not. */
export type CheckFit = (machine: Machine, reads: Reads) => Promise<void>;

export class Machines {
  readonly #store: StateStore;
  readonly #checkIntent: CheckIntent;
  readonly #checkFit: CheckFit;
  readonly #polls: LongPolls;
  readonly #index: MachineIndex;

  constructor(
    store: StateStore,
    checkIntent: CheckIntent,
    checkFit: CheckFit = async () => {},
    index = new MachineIndex(store),
  ) {
    this.#index = index;
    this.#store = store;
    this.#checkIntent = checkIntent;
    this.#checkFit = checkFit;
    this.#polls = new LongPolls(store);
  }

  list(choice: MachineChoice = {}): Promise<Machine[]> {
    return this.#index.find(choice);
  }

  /** @param key id, name, UUID or MAC. @throws Problem not_found */
  async show(key: string): Promise<MachineStory> {
    const machine = await this.#find(key);
    if (!machine) throw unknownMachine(key);
    const records = await machineRecords.read(this.#store, machine.id);
    return { ...machine, journal: records.toSorted(byTime).slice(-STORY_MOST).reverse() };
  }

  /**
   * What came of a machine since `after`, waiting for it. A MAC or UUID that nobody has heard of may be about to
   * be heard: its journal is empty.
   * @param key id, name, UUID or MAC. @throws Problem not_found, where it is neither MAC nor UUID.
   */
  async journal(key: string, { after, waitMs }: JournalWait, signal: AbortSignal): Promise<MachineJournal> {
    const look = async (): Promise<MachineJournal | undefined> => {
      const machine = await this.#find(key);
      if (!machine && !isAddress(key)) throw unknownMachine(key);
      const count = machine ? await machineRecords.count(this.#store, machine.id) : 0;
      if (!machine || count <= after) return undefined;
      const records = await machineRecords.read(this.#store, machine.id, after);
      return { machine, records, cursor: count, now: new Date().toISOString() };
    };
    const found = await this.#polls.next(look, waitMs, signal);
    if (found) return found;
    const machine = await this.#find(key);
    return {
      ...(machine ? { machine } : {}),
      records: [],
      cursor: after,
      now: new Date().toISOString(),
    };
  }

  /** Newest first. @param segment all segments where none is given. */
  async alarms(segment: string | undefined): Promise<EdgeRecord[]> {
    const records =
      segment === undefined
        ? await alarmRecords.readAll(this.#store)
        : await alarmRecords.read(this.#store, segment);
    return records.toSorted(byTime).reverse().slice(0, RING_MOST);
  }

  /**
   * What is armed sets a machine aside; see `give`. A MAC that nobody carries registers a machine.
   * @throws Problem not_found, machine_release_unknown, machine_state_not_allowed
   */
  async setIntent(key: string, intent: Intent, motion: Partial<Motion> = {}): Promise<Machine> {
    const told: Motion = { at: new Date(), by: 'operator', reason: intentText(intent), ...motion };
    return transact(this.#store, `machine ${key}`, async (reads) => {
      const beside = await this.#checkIntent(intent, reads);
      return changeMachine(key, reads, beside, async (known, draft) => {
        const machine = await give(draft, known, intent, told);
        await this.#checkFit(machine, reads);
        return machine;
      });
    });
  }

  /**
   * Gives a machine variables of its own; null takes one away. A MAC that nobody carries registers a machine.
   * @throws Problem not_found, input_invalid
   */
  async setVariables(key: string, changes: Readonly<Record<string, string | null>>): Promise<Machine> {
    return transact(this.#store, `machine ${key}`, (reads) =>
      changeMachine(key, reads, {}, (known) => {
        const changed = Object.entries({ ...known.variables, ...changes });
        const parsed = MachineVariables.safeParse(
          Object.fromEntries(changed.filter(([, value]) => value !== null)),
        );
        if (!parsed.success)
          throw problem('input_invalid', {
            field: 'variables',
            facts: { reason: parsed.error.issues[0]?.message ?? '' },
          });
        return { ...known, variables: parsed.data };
      }),
    );
  }

  /** Ends every wait for a journal, and lets nobody wait any more. */
  stop(): void {
    this.#polls.stop();
  }

  #find(key: string): Promise<Machine | undefined> {
    return new MachineDraft(this.#store).find(key);
  }
}

/** The machine of that key after a change; one that nobody knew is made where the key is a MAC. */
export async function changeMachine(
  key: string,
  reads: Reads,
  beside: Readonly<Record<string, unknown>>,
  change: (machine: Machine, draft: MachineDraft) => Machine | Promise<Machine>,
): Promise<Plan<Machine>> {
  const draft = new MachineDraft(reads);
  const known = await draft.find(key);
  const mac = Mac.safeParse(key).data;
  if (!known && mac === undefined) throw unknownMachine(key);
  const newborn = { id: newMachineId(), macs: mac === undefined ? [] : [mac] };
  const machine = await change(known ?? newborn, draft);
  await draft.keep(machine);
  return { put: { ...draft.put, ...beside }, result: machine };
}

function isAddress(key: string): boolean {
  return Mac.safeParse(key).success || Uuid.safeParse(key).success;
}

export function unknownMachine(key: string): Error {
  return problem('not_found', { facts: { kind: 'machine', name: key } });
}

/** The order of texts is the order of time; what came later stays behind what came before in the same millisecond. */
function byTime(a: EdgeRecord, b: EdgeRecord): number {
  return a.at < b.at ? -1 : a.at > b.at ? 1 : 0;
}
