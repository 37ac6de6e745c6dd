import { SentInspection } from '@bootswarm/controller/contract';
import { sha256Of } from '@bootswarm/images/format';
import type { Database } from 'lmdb';
import { commitOf } from './commit.ts';

/** Of one machine: the controller wants the newest, and the one before it for a comparison. */
const OF_ONE_MOST = 3;
/** In all: 60 KB each where there are many disks. */
const IN_ALL_MOST = 2000;

/** An inspection that the controller does not hold yet. */
export interface QueuedInspection {
  readonly key: number;
  readonly sent: SentInspection;
}

/** Inspections on their way to the controller, oldest first: kept here until it took them. */
export class InspectionQueue {
  /** Under a number that counts up. */
  readonly #queued: Database<SentInspection, number>;
  readonly #requireRoom: () => void;
  /** MAC and hash of what each key holds. */
  readonly #held = new Map<number, { readonly mac: string; readonly hash: string }>();
  #last: number;

  /** @param requireRoom throws where the disk is too full. */
  constructor(queued: Database<SentInspection, number>, requireRoom: () => void) {
    this.#queued = queued;
    this.#requireRoom = requireRoom;
    for (const { key, value } of queued.getRange({})) this.#held.set(key, factsOf(value));
    this.#last = Math.max(0, ...this.#held.keys());
  }

  /** Durable when it resolves. What waits here already is not taken twice. @throws Problem disk_full */
  async add(sent: SentInspection): Promise<void> {
    const facts = factsOf(sent);
    if ([...this.#held.values()].some(({ mac, hash }) => mac === facts.mac && hash === facts.hash)) return;
    this.#requireRoom();
    this.#last += 1;
    const key = this.#last;
    this.#held.set(key, facts);
    for (const old of this.#surplus(facts.mac)) this.#remove(old);
    try {
      await commitOf(this.#queued.put(key, sent));
    } catch (error) {
      this.#held.delete(key);
      throw error;
    }
  }

  oldest(): QueuedInspection | undefined {
    const [first] = this.#queued.getRange({ limit: 1 });
    if (!first) return undefined;
    const parsed = SentInspection.safeParse(first.value);
    if (parsed.success) return { key: first.key, sent: parsed.data };
    // Of another version: a new boot brings a new one.
    this.#remove(first.key);
    return this.oldest();
  }

  /** The controller holds it. */
  async forget(key: number): Promise<void> {
    this.#held.delete(key);
    await commitOf(this.#queued.remove(key));
  }

  #surplus(mac: string): readonly number[] {
    const own = [...this.#held].filter(([, each]) => each.mac === mac).map(([key]) => key);
    const all = [...this.#held.keys()];
    return [...own.slice(0, -OF_ONE_MOST), ...all.slice(0, -IN_ALL_MOST)];
  }

  #remove(key: number): void {
    this.#held.delete(key);
    void this.#queued.remove(key);
  }
}

function factsOf(sent: SentInspection): { readonly mac: string; readonly hash: string } {
  return { mac: sent.mac, hash: sha256Of(JSON.stringify(sent.inspection)) };
}
