import type { StateStore } from './state-store.ts';

/** Lets callers wait for what a commit may bring. */
export class LongPolls {
  readonly #watched: Pick<StateStore, 'watch'>;
  /** Ends each wait that is going on. */
  readonly #waits = new Set<() => void>();
  #stopped = false;

  constructor(watched: Pick<StateStore, 'watch'>) {
    this.#watched = watched;
  }

  /**
   * What `look` finds, asked at once and after commits until it finds something; undefined when `waitMs` or
   * `signal` ended the wait.
   * @throws whatever `look` throws.
   */
  async next<T>(
    look: () => Promise<T | undefined>,
    waitMs: number,
    signal: AbortSignal,
  ): Promise<T | undefined> {
    let over = this.#stopped || signal.aborted || waitMs === 0;
    let changed = false;
    let wake = (): void => {};
    const end = (): void => {
      over = true;
      wake();
    };
    const unwatch = this.#watched.watch(() => {
      changed = true;
      wake();
    });
    const timer = setTimeout(end, waitMs);
    signal.addEventListener('abort', end);
    this.#waits.add(end);
    try {
      for (;;) {
        changed = false;
        const found = await look();
        if (found !== undefined || over) return found;
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
}
