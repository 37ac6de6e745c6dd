import { MemoryStore } from '../store/memory-store.ts';
import type { Change, Outcome } from '../store/state-store.ts';

/** What whoever was committing gets to see of a controller that was killed. */
class Killed extends Error {}

/** A store whose controller is killed at a commit: just before it, or just after it was kept. */
export class MortalStore extends MemoryStore {
  /** Since the start. */
  commits = 0;
  #death: { readonly at: number; readonly side: 'before' | 'after' } | undefined;

  /** @param inCommits 1 is the next one. */
  killIn(inCommits: number, side: 'before' | 'after'): void {
    this.#death = { at: this.commits + inCommits, side };
  }

  /** Whoever was to be killed lives on. */
  spare(): void {
    this.#death = undefined;
  }

  /** What `act` gives; undefined where the controller was killed in it. */
  async outlive<T>(act: () => Promise<T>): Promise<T | undefined> {
    try {
      return await act();
    } catch (error) {
      if (error instanceof Killed) return undefined;
      throw error;
    }
  }

  override async commit(change: Change): Promise<Outcome> {
    this.commits += 1;
    const death = this.#death?.at === this.commits ? this.#death : undefined;
    if (death) this.#death = undefined;
    if (death?.side === 'before') throw new Killed();
    const outcome = await super.commit(change);
    if (death) throw new Killed();
    return outcome;
  }
}
