import { spawn } from 'node:child_process';

/** No answer of a BMC is longer; what is beyond is not kept. */
const OUTPUT_MOST_CHARACTERS = 64 * 1024;

/** What setpriv(1) says of a program that it cannot become. */
const NOT_STARTED = /^setpriv: failed to execute .*: (.+)$/m;

export interface ProgramRun {
  readonly program: string;
  readonly arguments: readonly string[];
  /** All of its environment but PATH and the language. */
  readonly env: Readonly<Record<string, string>>;
  /** Given on standard input. */
  readonly input?: string;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

export interface ProgramEnd {
  /** null where it was killed, for its time or for another reason. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A program that was never begun. The message says why. */
export class NotStarted extends Error {}

/**
 * Runs a program to its end without any shell, and ends it with all that it started when its time is over or `signal`
 * ends. Nor does it outlive this process: when that is killed, so is the program, and what it had in hand is not
 * carried out behind the back of the next controller. (What the program itself started may live on.)
 * @throws NotStarted
 */
export async function runProgram(run: ProgramRun): Promise<ProgramEnd> {
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', run.program, ...run.arguments], {
    env: { PATH: process.env['PATH'] ?? '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C', ...run.env },
    stdio: ['pipe', 'pipe', 'pipe'],
    // A process group of its own, so that what it started ends with it.
    detached: true,
  });
  const [stdout, stderr] = [collect(child.stdout), collect(child.stderr)];
  // It may end without having read all.
  child.stdin.on('error', () => {}).end(run.input ?? '');
  const kill = (): void => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    } catch {
      // It ended by itself meanwhile.
    }
    child.stdout.destroy();
    child.stderr.destroy();
  };
  const timer = setTimeout(kill, run.timeoutMs);
  run.signal.addEventListener('abort', kill, { once: true });
  if (run.signal.aborted) kill();
  try {
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject).once('close', resolve);
    }).catch((error: Error) => {
      throw new NotStarted("setpriv of Debian's package util-linux is missing", { cause: error });
    });
    // setpriv's own codes, which a program may have as well.
    const why = code === 126 || code === 127 ? NOT_STARTED.exec(stderr())?.[1] : undefined;
    if (why !== undefined) throw new NotStarted(why);
    return { code, stdout: stdout(), stderr: stderr() };
  } finally {
    clearTimeout(timer);
    run.signal.removeEventListener('abort', kill);
  }
}

function collect(stream: NodeJS.ReadableStream): () => string {
  let text = '';
  stream.setEncoding('utf8').on('data', (chunk: string) => {
    text = (text + chunk).slice(0, OUTPUT_MOST_CHARACTERS);
  });
  return () => text;
}
