import { MemoryStore } from '../store/memory-store.ts';
import type { Change, Outcome } from '../store/state-store.ts';

/** A store into which others write between a transaction's reads and its commit, and which counts its watchers. */
export class InterposedStore extends MemoryStore {
  watchers = 0;
  #interpose: (() => Promise<unknown>) | undefined;

  /** `act` runs once, just before the next commit. */
  beforeNextCommit(act: () => Promise<unknown>): void {
    this.#interpose = act;
  }

  override async commit(change: Change): Promise<Outcome> {
    const act = this.#interpose;
    this.#interpose = undefined;
    await act?.();
    return super.commit(change);
  }

  override watch(onChange: () => void): () => void {
    const stop = super.watch(onChange);
    this.watchers += 1;
    return () => {
      this.watchers -= 1;
      stop();
    };
  }
}
