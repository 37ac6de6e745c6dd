import {
  type EdgeRecord,
  type Intent,
  Mac,
  Machine,
  type MachineJournal,
  type MachineStory,
  problem,
  Uuid,
} from '@bootswarm/controller/contract';
import { LongPolls } from '../store/long-poll.ts';
import type { StateStore } from '../store/state-store.ts';
import { transact } from '../store/transact.ts';
import { MACHINES_PREFIX, newMachineId } from './keys.ts';
import { MachineDraft } from './machine-draft.ts';
import { alarmRecords, machineRecords, RING_MOST } from './record-ring.ts';

/** Records of a machine that `show` gives, newest first. */
const STORY_MOST = 100;

export interface JournalWait {
  /** The cursor of the call before; 0 for all that is kept. */
  readonly after: number;
  readonly waitMs: number;
}

export class Machines {
  readonly #store: StateStore;
  readonly #checkIntent: (intent: Intent) => Promise<void>;
  readonly #polls: LongPolls;

  /** @param checkIntent throws a Problem where an intent names what does not exist. */
  constructor(store: StateStore, checkIntent: (intent: Intent) => Promise<void>) {
    this.#store = store;
    this.#checkIntent = checkIntent;
    this.#polls = new LongPolls(store);
  }

  async list(): Promise<Machine[]> {
    const entries = await this.#store.list(MACHINES_PREFIX);
    return entries.map(({ value }) => Machine.parse(value));
  }

  /** @param key id, UUID or MAC. @throws Problem not_found */
  async show(key: string): Promise<MachineStory> {
    const machine = await this.#find(key);
    if (!machine) throw unknownMachine(key);
    const records = await machineRecords.read(this.#store, machine.id);
    return { ...machine, journal: records.toSorted(byTime).slice(-STORY_MOST).reverse() };
  }

  /**
   * What came of a machine since `after`, waiting for it. A MAC or UUID that nobody has heard of may be about to
   * be heard: its journal is empty.
   * @param key id, UUID or MAC. @throws Problem not_found, where it is neither MAC nor UUID.
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

  /** A MAC that nobody carries registers a machine. @throws Problem not_found, machine_release_unknown */
  async setIntent(key: string, intent: Intent): Promise<Machine> {
    await this.#checkIntent(intent);
    return transact(this.#store, `machine ${key}`, async (reads) => {
      const draft = new MachineDraft(reads);
      const known = await draft.find(key);
      const mac = Mac.safeParse(key).data;
      if (!known && mac === undefined) throw unknownMachine(key);
      const machine: Machine = known
        ? { ...known, intent }
        : { id: newMachineId(), macs: mac === undefined ? [] : [mac], intent };
      await draft.keep(machine);
      return { put: draft.put, result: machine };
    });
  }

  /** Ends every wait for a journal, and lets nobody wait any more. */
  stop(): void {
    this.#polls.stop();
  }

  #find(key: string): Promise<Machine | undefined> {
    return new MachineDraft(this.#store).find(key);
  }
}

function isAddress(key: string): boolean {
  return Mac.safeParse(key).success || Uuid.safeParse(key).success;
}

function unknownMachine(key: string): Error {
  return problem('not_found', { facts: { kind: 'machine', name: key } });
}

/** The order of texts is the order of time; what came later stays behind what came before in the same millisecond. */
function byTime(a: EdgeRecord, b: EdgeRecord): number {
  return a.at < b.at ? -1 : a.at > b.at ? 1 : 0;
}
