import { DesiredState } from '@bootswarm/controller/contract';
import { type Signed, sha256Of, signText } from '@bootswarm/images/format';
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
  /** Ends each wait that is going on. */
  readonly #waits = new Set<() => void>();
  #read: { readonly revision: number; readonly fleet: Promise<Fleet> } | undefined;
  #stopped = false;

  constructor(store: StateStore, readFleet: () => Promise<Fleet>, privateKey: string) {
    this.#store = store;
    this.#readFleet = readFleet;
    this.#privateKey = privateKey;
  }

  /** The desired state once its revision is above `after`, or null when `waitMs` or `signal` ended the wait. */
  async next(edge: string, after: number, waitMs: number, signal: AbortSignal): Promise<Signed | null> {
    let over = this.#stopped || signal.aborted || waitMs === 0;
    let changed = false;
    let wake = (): void => {};
    const end = (): void => {
      over = true;
      wake();
    };
    const unwatch = this.#store.watch(() => {
      changed = true;
      wake();
    });
    const timer = setTimeout(end, waitMs);
    signal.addEventListener('abort', end);
    this.#waits.add(end);
    try {
      for (;;) {
        changed = false;
        const { revision, signed } = await this.#issue(edge);
        if (revision > after) return signed;
        if (over) return null;
        const woken = new Promise<void>((resolve) => {
          wake = resolve;
        });
        if (!changed) await woken;
      }
    } finally {
      this.#waits.delete(end);
      signal.removeEventListener('abort', end);
      clearTimeout(timer);
      unwatch();
    }
  }

  /** Ends every wait, and lets nobody wait any more. */
  stop(): void {
    this.#stopped = true;
    for (const end of this.#waits) end();
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
