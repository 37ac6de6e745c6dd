import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';

export interface CommandOptions {
  /** Laid over this process's environment. */
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Written to the command's standard input, which is then closed. */
  readonly input?: string;
  /** Past it the command gets SIGKILL; 30 s unless said. */
  readonly timeoutMs?: number;
}

export interface CommandResult {
  /** Null when a signal ended the command. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command to its end; a code other than 0 is a result, not an error. Rejects when it cannot be started. */
export async function runCommand(
  argv: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  const [file = '', ...rest] = argv;
  const child = spawn(file, rest, {
    env: { ...process.env, ...options.env },
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    timeout: options.timeoutMs ?? 30_000,
    killSignal: 'SIGKILL',
  });
  const ended = new Promise<[number | null, NodeJS.Signals | null]>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve([code, signal]));
  });
  // A command may end before it has read its input; its exit code tells, the EPIPE does not.
  child.stdin.on('error', () => {});
  child.stdin.end(options.input ?? '');
  const [[code, signal], stdout, stderr] = await Promise.all([ended, text(child.stdout), text(child.stderr)]);
  return { code, signal, stdout, stderr };
}

/** As `runCommand`, but throws with the command's own words unless it exits with 0. */
export async function mustRun(argv: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
  const result = await runCommand(argv, options);
  if (result.code === 0) return result;
  const ending = result.signal ?? `code ${result.code}`;
  const words = [options.input, result.stdout, result.stderr].filter(Boolean).join('\n');
  throw new Error(`${argv.join(' ')} ended with ${ending}\n${words}`);
}
