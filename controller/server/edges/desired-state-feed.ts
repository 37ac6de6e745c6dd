import { DesiredState } from '@bootswarm/controller/contract';
import { type Signed, sha256Of, signText } from '@bootswarm/images/format';
import { LongPolls } from '../store/long-poll.ts';
import type { StateStore } from '../store/state-store.ts';
import { desiredStateOf, type Fleet } from './desired-state.ts';

interface Issued {
  readonly contentSha256: string;
  readonly revision: number;
  readonly signed: Signed;
}

/**
 * Hands each edge its signed desired state, and lets it wait for the next. The revision is the store's at
 * the time when the content last changed: it rises with every change and over restarts.
 */
export class DesiredStateFeed {
  readonly #store: StateStore;
  readonly #readFleet: () => Promise<Fleet>;
  readonly #privateKey: string;
  readonly #issued = new Map<string, Issued>();
  readonly #polls: LongPolls;
  #read: { readonly revision: number; readonly fleet: Promise<Fleet> } | undefined;

  constructor(store: StateStore, readFleet: () => Promise<Fleet>, privateKey: string) {
    this.#store = store;
    this.#readFleet = readFleet;
    this.#privateKey = privateKey;
    this.#polls = new LongPolls(store);
  }

  /** The desired state once its revision is above `after`, or null when `waitMs` or `signal` ended the wait. */
  async next(edge: string, after: number, waitMs: number, signal: AbortSignal): Promise<Signed | null> {
    const look = async (): Promise<Signed | undefined> => {
      const { revision, signed } = await this.#issue(edge);
      return revision > after ? signed : undefined;
    };
    return (await this.#polls.next(look, waitMs, signal)) ?? null;
  }

  /** Ends every wait, and lets nobody wait any more. */
  stop(): void {
    this.#polls.stop();
  }

  async #issue(edge: string): Promise<Issued> {
    // Read before the content: a content newer than its revision is issued again, never the other way.
    const revision = await this.#store.revision();
    const content = desiredStateOf(edge, await this.#fleetAt(revision));
    const contentSha256 = sha256Of(JSON.stringify(content));
    const held = this.#issued.get(edge);
    if (held?.contentSha256 === contentSha256) return held;
    const state: DesiredState = DesiredState.parse({ ...content, revision });
    const issued = { contentSha256, revision, signed: signText(JSON.stringify(state), this.#privateKey) };
    this.#issued.set(edge, issued);
    return issued;
  }

  /** One reading serves all edges: every commit wakes all that wait. */
  #fleetAt(revision: number): Promise<Fleet> {
    if (this.#read?.revision === revision) return this.#read.fleet;
    const read = { revision, fleet: this.#readFleet() };
    this.#read = read;
    read.fleet.catch(() => {
      if (this.#read === read) this.#read = undefined;
    });
    return read.fleet;
  }
}
