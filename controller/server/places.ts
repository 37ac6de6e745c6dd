/** Lets so many jobs run at once; the others wait in the order in which they came. */
export class Places {
  readonly #most: number;
  readonly #queue: (() => void)[] = [];
  #running = 0;

  constructor(most: number) {
    this.#most = most;
  }

  /** What the job resolves to, or rejects with. */
  async run<T>(job: () => Promise<T>): Promise<T> {
    if (this.#running >= this.#most) await new Promise<void>((resolve) => this.#queue.push(resolve));
    else this.#running += 1;
    try {
      return await job();
    } finally {
      // A place that is handed on was never free: nobody who comes by now takes it.
      const next = this.#queue.shift();
      if (next) next();
      else this.#running -= 1;
    }
  }
}
