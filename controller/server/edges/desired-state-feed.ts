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
  readonly #fleet: () => Promise<Fleet>;
  readonly #privateKey: string;
  readonly #issued = new Map<string, Issued>();

  constructor(store: StateStore, fleet: () => Promise<Fleet>, privateKey: string) {
    this.#store = store;
    this.#fleet = fleet;
    this.#privateKey = privateKey;
  }

  /** The desired state once its revision is above `after`, or null when `waitMs` or `signal` ended the wait. */
  async next(edge: string, after: number, waitMs: number, signal: AbortSignal): Promise<Signed | null> {
    const deadline = AbortSignal.any([signal, AbortSignal.timeout(waitMs)]);
    for (;;) {
      const changed = this.#nextChange(deadline);
      const { revision, signed } = await this.#issue(edge);
      if (revision > after) return signed;
      if (deadline.aborted) return null;
      await changed;
    }
  }

  /** Resolves at the next change of the store, or when `deadline` comes. Listening begins at once. */
  #nextChange(deadline: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        stop();
        deadline.removeEventListener('abort', done);
        resolve();
      };
      const stop = this.#store.watch(done);
      deadline.addEventListener('abort', done);
    });
  }

  async #issue(edge: string): Promise<Issued> {
    // Read before the content: a content newer than its revision is issued again, never the other way.
    const revision = await this.#store.revision();
    const content = desiredStateOf(edge, await this.#fleet());
    const contentSha256 = sha256Of(JSON.stringify(content));
    const held = this.#issued.get(edge);
    if (held?.contentSha256 === contentSha256) return held;
    const state: DesiredState = DesiredState.parse({ ...content, revision });
    const issued = { contentSha256, revision, signed: signText(JSON.stringify(state), this.#privateKey) };
    this.#issued.set(edge, issued);
    return issued;
  }
}
