import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, writeSync } from 'node:fs';
import { Transcript } from './transcript.ts';

export interface ProcessOptions {
  readonly name: string;
  /** Absolute; appended to, so that a restart under the same name keeps the earlier run. */
  readonly logFile: string;
  /** Laid over this process's environment. */
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Turns what is printed into what is logged and matched, chunk by chunk. */
  readonly filter?: (chunk: string) => string;
}

export interface ProcessExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

const DRAIN_MS = 500;

/** A long-running process. Its stdout and stderr go, in order of arrival, to its log file and to `output`. */
export class Process {
  readonly name: string;
  readonly pid: number;
  readonly logFile: string;
  readonly output: Transcript;
  /** Resolves once it has ended and what it printed is in `output`. */
  readonly exit: Promise<ProcessExit>;
  readonly #child: ChildProcessWithoutNullStreams;

  private constructor(
    child: ChildProcessWithoutNullStreams,
    pid: number,
    output: Transcript,
    options: ProcessOptions,
  ) {
    this.#child = child;
    this.pid = pid;
    this.output = output;
    this.name = options.name;
    this.logFile = options.logFile;
    this.exit = new Promise((resolve) => {
      child.once('exit', (code, signal) => {
        const resolveExit = () => resolve({ code, signal });
        child.once('close', resolveExit);
        // A child of its own may hold the pipes open for as long as it likes.
        setTimeout(resolveExit, DRAIN_MS).unref();
      });
    });
  }

  /** Rejects when `argv[0]` cannot be started; behind `ip netns exec` that is told by exit code and output. */
  static async start(argv: readonly string[], options: ProcessOptions): Promise<Process> {
    const [file = '', ...rest] = argv;
    const child = spawn(file, rest, {
      env: { ...process.env, ...options.env },
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    });
    const output = new Transcript(`${options.name} (${options.logFile})`);
    record(child, output, options);
    await once(child, 'spawn');
    return new Process(child, child.pid ?? 0, output, options);
  }

  get lines(): AsyncGenerator<string, void> {
    return this.output.lines();
  }

  /** The first whole line that matches, earlier ones included; throws with the log's tail. */
  waitForLine(pattern: RegExp, timeoutMs: number): Promise<string> {
    return this.output.waitForLine(pattern, timeoutMs);
  }

  /** Writes to the process's standard input. */
  write(text: string): void {
    this.#child.stdin.write(text);
  }

  /** Asks it to end, and after `graceMs` makes it. Stopping what has ended is no error. */
  async stop(signal: NodeJS.Signals = 'SIGTERM', graceMs = 5000): Promise<ProcessExit> {
    this.#child.kill(signal);
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), graceMs);
    try {
      return await this.exit;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Ends it as a power cut would. */
  kill9(): Promise<ProcessExit> {
    return this.stop('SIGKILL');
  }
}

function record(child: ChildProcessWithoutNullStreams, output: Transcript, options: ProcessOptions): void {
  // Written synchronously: the log must hold the last words even when the test dies at once.
  const log = openSync(options.logFile, 'a');
  const filter = options.filter ?? ((chunk: string) => chunk);
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8');
    stream.on('data', (chunk: string) => {
      const text = filter(chunk);
      writeSync(log, text);
      output.append(text);
    });
  }
  // Typing to a process that has just ended is no reason to fail.
  child.stdin.on('error', () => {});
  child.once('close', (code, signal) => {
    closeSync(log);
    output.end(`ended with ${signal ?? `code ${code}`}`);
  });
}
