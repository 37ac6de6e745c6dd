/** Those who want a hint after commits. They are told on a later turn, once for commits of the same turn. */
export class Watchers {
  readonly #listeners = new Set<() => void>();
  #pending = false;

  add(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  tell(): void {
    if (this.#pending) return;
    this.#pending = true;
    setImmediate(() => {
      this.#pending = false;
      for (const listener of this.#listeners) listener();
    });
  }

  clear(): void {
    this.#listeners.clear();
  }
}
