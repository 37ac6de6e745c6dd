import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { problem } from './problems.ts';

/** What an unlucky program may have said is told with the failure. */
const LAST_LINES = 6;
const OUTPUT_MOST_BYTES = 4 * 1024 * 1024;
const LINE_MOST = 300;
const KILL_AFTER_MS = 5_000;

export interface RunOptions {
  /** For a person: what it is run for. */
  readonly what: string;
  readonly stdin?: string | undefined;
  /** In the place of the agent's own environment. */
  readonly env?: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  /** Told each line of both outputs. */
  readonly say?: ((line: string) => void) | undefined;
  /** Called once, with the id under /proc, when it has started. */
  readonly onStart?: (pid: number) => void;
  /** Exit codes beside 0 that are no failure. */
  readonly fine?: readonly number[];
}

export interface RunResult {
  readonly code: number;
  /** Standard output, up to 4 MiB. */
  readonly stdout: string;
}

/** Why a program failed, before it is told as a problem. */
export class ProgramError extends Error {
  override readonly name = 'ProgramError';
  readonly program: string;
  /** `code 2`, or `signal SIGKILL`. */
  readonly how: string;
  /** The last of what it said. */
  readonly lines: readonly string[];

  constructor(program: string, how: string, lines: readonly string[]) {
    super(`${program} ended with ${how}: ${lines.join(' | ')}`);
    this.program = program;
    this.how = how;
    this.lines = lines;
  }
}

/** Runs programs of the mini image. No shell reads their arguments. */
export interface Programs {
  /** @throws Problem program_failed, program_missing; the signal's reason where that ended it. */
  run(argv: readonly [string, ...string[]], options: RunOptions): Promise<RunResult>;
}

export const programs: Programs = {
  run: async (argv, options) => {
    try {
      return await runProgram(argv, options);
    } catch (error) {
      if (!(error instanceof ProgramError)) throw error;
      const { program, how, lines } = error;
      const facts = { what: options.what, program, how, lines: lines.join(' | ') || 'none' };
      throw problem(how === 'ENOENT' ? 'program_missing' : 'program_failed', { facts, cause: error });
    }
  },
};

/** @throws ProgramError, or the signal's reason. */
export async function runProgram(
  [program, ...args]: readonly [string, ...string[]],
  { stdin, env, signal, say, onStart, fine = [] }: Omit<RunOptions, 'what'>,
): Promise<RunResult> {
  signal.throwIfAborted();
  // A group of its own: what it started ends with it.
  const child = spawn(program, args, {
    stdio: 'pipe',
    detached: true,
    ...(env === undefined ? {} : { env }),
  });
  const last: string[] = [];
  let stdout = '';
  const hear = (line: string): void => {
    const text = line.slice(0, LINE_MOST).trimEnd();
    if (text === '') return;
    last.push(text);
    if (last.length > LAST_LINES) last.shift();
    say?.(text);
  };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    if (stdout.length < OUTPUT_MOST_BYTES) stdout += text;
  });
  createInterface({ input: child.stdout }).on('line', hear);
  createInterface({ input: child.stderr }).on('line', hear);
  // Who ends early does not read to the end.
  child.stdin.on('error', () => {});
  child.stdin.end(stdin ?? '');
  let killing: NodeJS.Timeout | undefined;
  const killNow = (): void => killGroup(child.pid, 'SIGKILL');
  const stop = (): void => {
    killGroup(child.pid, 'SIGTERM');
    killing = setTimeout(killNow, KILL_AFTER_MS);
  };
  signal.addEventListener('abort', stop, { once: true });
  process.once('exit', killNow);
  try {
    if (child.pid !== undefined) onStart?.(child.pid);
    const { promise, resolve, reject } = Promise.withResolvers<string | number>();
    child.once('error', (error: NodeJS.ErrnoException) =>
      reject(new ProgramError(program, error.code ?? error.message, last)),
    );
    child.once('close', (code, by) => resolve(code ?? by ?? 'nothing'));
    const end = await promise;
    signal.throwIfAborted();
    if (typeof end === 'number' && (end === 0 || fine.includes(end))) return { code: end, stdout };
    throw new ProgramError(program, typeof end === 'number' ? `code ${end}` : `signal ${end}`, last);
  } finally {
    clearTimeout(killing);
    signal.removeEventListener('abort', stop);
    process.off('exit', killNow);
  }
}

function killGroup(pid: number | undefined, by: NodeJS.Signals): void {
  try {
    if (pid !== undefined) process.kill(-pid, by);
  } catch {
    // It has ended already.
  }
}
