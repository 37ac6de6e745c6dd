/** What a process has printed so far, to be read, iterated or waited upon. It remembers everything. */
export class Transcript {
  readonly #source: string;
  readonly #lines: string[] = [];
  #text = '';
  #partialLine = '';
  #ending: string | undefined;
  #change = Promise.withResolvers<void>();

  /** `source` names the process and its log in the errors of waits that fail. */
  constructor(source: string) {
    this.#source = source;
  }

  get text(): string {
    return this.#text;
  }

  append(chunk: string): void {
    if (chunk === '') return;
    this.#text += chunk;
    const lines = (this.#partialLine + chunk).split('\n');
    this.#partialLine = lines.pop() ?? '';
    this.#lines.push(...lines);
    this.#announce();
  }

  /** No more will come; `reason` is told to those still waiting. */
  end(reason: string): void {
    if (this.#partialLine !== '') this.append('\n');
    this.#ending = reason;
    this.#announce();
  }

  /** Whole lines from the first on, until the end. Each call iterates on its own. */
  async *lines(): AsyncGenerator<string, void> {
    for (let next = 0; ; next++) {
      while (this.#lines.length === next) {
        if (this.#ending !== undefined) return;
        await this.#change.promise;
      }
      yield this.#lines[next] ?? '';
    }
  }

  /**
   * The first match in the text from the character `since` on; text that came earlier counts.
   * Throws with the tail of the text when `timeoutMs` pass or the text ends without a match.
   */
  waitFor(pattern: RegExp, timeoutMs: number, since = 0): Promise<RegExpExecArray> {
    // A pattern with the g flag would carry its position from one attempt to the next.
    const stateless = new RegExp(pattern.source, pattern.flags.replace(/[gy]/g, ''));
    return this.#until(() => stateless.exec(this.#text.slice(since)) ?? undefined, pattern, timeoutMs);
  }

  /** The first whole line that matches, earlier ones included. Throws as `waitFor` does. */
  waitForLine(pattern: RegExp, timeoutMs: number): Promise<string> {
    let next = 0;
    const probe = () => {
      while (next < this.#lines.length) {
        const line = this.#lines[next++] ?? '';
        if (line.search(pattern) >= 0) return line;
      }
      return undefined;
    };
    return this.#until(probe, pattern, timeoutMs);
  }

  async #until<T>(probe: () => T | undefined, pattern: RegExp, timeoutMs: number): Promise<T> {
    let expired = false;
    const timer = setTimeout(() => {
      expired = true;
      this.#announce();
    }, timeoutMs);
    try {
      for (;;) {
        const found = probe();
        if (found !== undefined) return found;
        if (expired) throw this.#failure(`did not print ${pattern} within ${timeoutMs} ms`);
        if (this.#ending !== undefined) throw this.#failure(`${this.#ending} before printing ${pattern}`);
        await this.#change.promise;
      }
    } finally {
      clearTimeout(timer);
    }
  }

  #announce(): void {
    const { resolve } = this.#change;
    this.#change = Promise.withResolvers<void>();
    resolve();
  }

  #failure(what: string): Error {
    const tail = this.#text.trimEnd().split('\n').slice(-20).join('\n  ');
    return new Error(`${this.#source} ${what}; its last lines:\n  ${tail}`);
  }
}
