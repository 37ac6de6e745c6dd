import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const controller = fileURLToPath(new URL('../..', import.meta.url));

/** Halves the start of each of many processes. */
const NODE_COMPILE_CACHE = join(tmpdir(), 'bootswarm-test-compile-cache');

export interface Done {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A program of the controller as a process of its own. */
export class Program implements AsyncDisposable {
  readonly done: Promise<Done>;
  readonly #child: ChildProcess;
  #stdout = '';
  #stderr = '';
  #grown = Promise.withResolvers<void>();

  /** @param file such as `cli/main.ts`. @param env is all of its environment but PATH and a cache. */
  constructor(file: string, args: readonly string[], env: Readonly<Record<string, string>> = {}, input = '') {
    this.#child = spawn(process.execPath, [controller + file, ...args], {
      env: { PATH: process.env['PATH'], NODE_COMPILE_CACHE, ...env },
    });
    this.#child.stdin?.end(input);
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.#stdout += text;
      this.#grow();
    });
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr += text;
      this.#grow();
    });
    this.done = once(this.#child, 'close').then(([code]) => {
      this.#grow();
      return { code, stdout: this.#stdout, stderr: this.#stderr };
    });
  }

  /** The match of `pattern` in what it printed, once it is there. @throws where it ends without. */
  async printed(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const grown = this.#grown.promise;
      const found = pattern.exec(this.#stdout + this.#stderr);
      if (found) return found;
      if (this.#child.exitCode !== null)
        throw new Error(`ended without ${pattern}: ${this.#stdout}${this.#stderr}`);
      await grown;
    }
  }

  /** Stops reading what it prints, like a pager that was left. */
  closeOutput(): void {
    this.#child.stdout?.destroy();
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.signal('SIGKILL');
    await this.done;
  }

  #grow(): void {
    this.#grown.resolve();
    this.#grown = Promise.withResolvers();
  }
}
