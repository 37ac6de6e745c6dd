import { lifeOf, type Machine, type Motion } from '@bootswarm/controller/contract';
import { Problem } from '@bootswarm/images/format';
import type { Logger } from 'pino';
import type { StateStore } from '../store/state-store.ts';
import { type Plan, type Reads, transact } from '../store/transact.ts';
import type { AssignedInstalls } from './assigned-installs.ts';
import { DUE_PREFIX, dueOf } from './keys.ts';
import { move } from './life.ts';
import { MachineDraft } from './machine-draft.ts';
import { choiceFor, notInstalled } from './newcomers.ts';

/** A machine fails so much later than its deadline at most, and a newcomer waits so long for its turn. */
const LOOK_MS = 5_000;
/** Entries that are read at once. */
const PAGE = 200;

export interface LifeWatchParts {
  readonly store: StateStore;
  readonly installs: Pick<AssignedInstalls, 'arm'>;
}

/**
 * Does what is due of machines: fails those whose deadline passed, and installs newcomers whose turn has come. What is
 * due stands in keys in the order of time, put by the commit that made it due: so no machine is looked at before, and
 * a controller that starts again goes on where it was.
 */
export class LifeWatch {
  readonly #parts: LifeWatchParts;

  constructor(parts: LifeWatchParts) {
    this.#parts = parts;
  }

  /** Does all that is due, machine by machine, each in one commit. @returns how many entries were due. */
  async look(now: Date): Promise<number> {
    let count = 0;
    for (;;) {
      const entries = await this.#parts.store.list(DUE_PREFIX, { limit: PAGE });
      const due = entries.filter(({ key }) => dueOf(key).at <= now.toISOString());
      for (const { key } of due) await this.#settle(key, now);
      count += due.length;
      if (due.length < PAGE) return count;
    }
  }

  /** Looks every five seconds. @returns ends it, once a look that goes on has ended. */
  start(log: Logger, lookMs = LOOK_MS): () => Promise<void> {
    let running = Promise.resolve();
    let timer: NodeJS.Timeout;
    const later = (ms: number): void => {
      timer = setTimeout(() => {
        running = this.look(new Date())
          .then((count) => {
            if (count > 0) log.info({ count }, 'did what was due of machines');
          })
          .catch((error: unknown) => log.error({ err: error }, 'what is due of machines is tried again'))
          .finally(() => later(lookMs));
      }, ms).unref();
    };
    later(0);
    return async () => {
      clearTimeout(timer);
      await running;
      clearTimeout(timer);
    };
  }

  async #settle(key: string, now: Date): Promise<void> {
    try {
      await this.#transact(key, (draft, machine, reads) => this.#due(draft, machine, { key, now, reads }));
    } catch (error) {
      if (!(error instanceof Problem) || error.code === 'changed_meanwhile') throw error;
      const motion = { at: now, by: 'policy', reason: `${error.message}; ${error.remedy}` } as const;
      await this.#transact(key, async (draft, { installAt: _, ...machine }) =>
        lifeOf(machine).state === 'available' ? move(draft, machine, 'failed', motion) : machine,
      );
    }
  }

  /** One machine of which something is due; its entry goes with the same commit. */
  #transact(
    key: string,
    change: (draft: MachineDraft, machine: Machine, reads: Reads) => Promise<Machine | undefined>,
  ): Promise<void> {
    const { store } = this.#parts;
    return transact(store, key, async (reads): Promise<Plan<void>> => {
      if (!(await reads.get(key))) return { result: undefined };
      const draft = new MachineDraft(reads);
      const known = await draft.machine(dueOf(key).id);
      const machine = known && (await change(draft, known, reads));
      if (machine) await draft.keep(machine);
      const { [key]: _, ...put } = draft.put;
      return { put, remove: [key], result: undefined };
    });
  }

  /** The machine once what is due is done; undefined where the entry is not true any more. */
  async #due(
    draft: MachineDraft,
    machine: Machine,
    { key, now, reads }: { readonly key: string; readonly now: Date; readonly reads: Reads },
  ): Promise<Machine | undefined> {
    const { at } = dueOf(key);
    if (machine.deadlineAt === at) {
      const reason = `nothing was heard of it until ${at}`;
      return move(draft, machine, 'failed', { at: now, by: 'deadline', reason });
    }
    if (machine.installAt !== at) return undefined;
    const { installAt: _, ...known } = machine;
    if (known.state !== 'available') return known;
    const chosen = await choiceFor(draft, known);
    if ('reason' in chosen) return notInstalled(known, chosen.reason, now);
    const { choice, by } = chosen;
    const reason = `segment ${machine.segment} installs machines that nobody knew: ${by} says profile ${choice.profile}`;
    const motion: Motion = { at: now, by: 'policy', reason };
    return this.#parts.installs.arm(draft, known, { choice, motion, reads });
  }
}
