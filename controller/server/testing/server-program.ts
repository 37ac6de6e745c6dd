import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const main = fileURLToPath(new URL('../main.ts', import.meta.url));

/** Halves the start of each of many processes. */
const NODE_COMPILE_CACHE = join(tmpdir(), 'bootswarm-test-compile-cache');

interface LogRecord {
  readonly operatorToken?: string;
  readonly port?: number;
  readonly level?: number;
  readonly msg?: string;
  readonly code?: string;
  readonly remedy?: string;
}

/** The controller as a process of its own, on a free port of the loopback unless `options` say otherwise. */
export class ServerProgram implements AsyncDisposable {
  /** Its exit code. */
  readonly ended: Promise<number | null>;
  readonly #child: ChildProcess;
  #output = '';
  #grown = Promise.withResolvers<void>();

  constructor(data: string, ...options: readonly string[]) {
    const argv = [
      main,
      '--data',
      data,
      '--address',
      '127.0.0.1',
      '--port',
      '0',
      '--swarm-port',
      '0',
      ...options,
    ];
    this.#child = spawn(process.execPath, argv, {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, NODE_COMPILE_CACHE },
    });
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.#output += text;
      this.#grow();
    });
    this.ended = once(this.#child, 'close').then(([code]) => {
      this.#grow();
      return code;
    });
  }

  /** What it printed so far, line by line. */
  get lines(): readonly LogRecord[] {
    const whole = this.#output.slice(0, this.#output.lastIndexOf('\n') + 1);
    return whole
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line));
  }

  /** The first line that `wanted` is true of. @throws where it ends without one. */
  async printed(wanted: (line: LogRecord) => boolean): Promise<LogRecord> {
    for (;;) {
      const grown = this.#grown.promise;
      const found = this.lines.find(wanted);
      if (found) return found;
      if (this.#child.exitCode !== null)
        throw new Error(`ended with ${this.#child.exitCode}: ${this.#output}`);
      await grown;
    }
  }

  /** @returns its port. */
  async up(): Promise<number> {
    return (await this.printed(({ msg }) => msg === 'controller is up')).port ?? 0;
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.signal('SIGKILL');
    await this.ended;
  }

  #grow(): void {
    this.#grown.resolve();
    this.#grown = Promise.withResolvers();
  }
}
