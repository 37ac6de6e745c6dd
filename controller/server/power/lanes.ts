import { Places } from '../places.ts';

/** Runs jobs one after the other in each lane, and so many at once in all. */
export class Lanes {
  readonly #places: Places;
  readonly #ends = new Map<string, Promise<void>>();

  constructor(most: number) {
    this.#places = new Places(most);
  }

  /** Resolves once the job has ended, and rejects as it does. Who waits for a lane holds up no other. */
  run(lane: string, job: () => Promise<void>): Promise<void> {
    const before = this.#ends.get(lane) ?? Promise.resolve();
    const done = before.then(() => this.#places.run(job));
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
}
