/** Runs jobs one after the other in each lane, and so many at once in all. */
export class Lanes {
  readonly #most: number;
  readonly #ends = new Map<string, Promise<void>>();
  readonly #queue: (() => void)[] = [];
  #running = 0;

  constructor(most: number) {
    this.#most = most;
  }

  /** Resolves once the job has ended, and rejects as it does. Who waits for a lane holds up no other. */
  run(lane: string, job: () => Promise<void>): Promise<void> {
    const before = this.#ends.get(lane) ?? Promise.resolve();
    const done = before.then(() => this.#withPlace(job));
    const end = done
      .catch(() => {})
      .then(() => {
        if (this.#ends.get(lane) === end) this.#ends.delete(lane);
      });
    this.#ends.set(lane, end);
    return done;
  }

  /** Resolves once nothing runs or waits. */
  async idle(): Promise<void> {
    while (this.#ends.size > 0) await Promise.all(this.#ends.values());
  }

  async #withPlace(job: () => Promise<void>): Promise<void> {
    if (this.#running >= this.#most) await new Promise<void>((resolve) => this.#queue.push(resolve));
    else this.#running += 1;
    try {
      await job();
    } finally {
      // A place that is handed on was never free: nobody who comes by now takes it.
      const next = this.#queue.shift();
      if (next) next();
      else this.#running -= 1;
    }
  }
}
