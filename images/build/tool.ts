import { spawn } from 'node:child_process';
import type { Writable } from 'node:stream';
import { problem } from './problems.ts';

/** How long a tool may take to clean up after itself once it is told to stop. */
const GRACE_MS = 5_000;
const TAIL_LINES = 12;
const NAMESPACES = ['unshare', '--mount', '--pid', '--fork', '--kill-child', '--'];

export interface ToolRun {
  readonly command: string;
  readonly arguments: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** Debian package that holds the command, for the remedy. */
  readonly package: string;
  readonly signal: AbortSignal;
  /** Gets all output. */
  readonly log: Writable;
  readonly onLine: (line: string) => void;
}

export interface ToolOutcome {
  readonly ok: boolean;
  /** The last lines of output. */
  readonly tail: readonly string[];
}

/**
 * Runs a tool to its end, also when it is told to stop: nothing of it runs on after this returns.
 *
 * The tool is the first process of a PID and a mount namespace of its own. When it ends or is killed,
 * the kernel ends what it started and drops what it mounted, so no clean-up depends on its good manners.
 * Nor does it outlive this process: when that is killed, so is the tool.
 * @throws Problem `tool_missing`, or `build_stopped` after an abort.
 */
export async function runTool(run: ToolRun): Promise<ToolOutcome> {
  if (run.signal.aborted) throw problem('build_stopped', { cause: run.signal.reason });
  const child = spawn(
    'setpriv',
    ['--pdeathsig', 'KILL', '--', ...NAMESPACES, run.command, ...run.arguments],
    // A process group of its own: Ctrl-C at the terminal reaches us, and we stop the tool in order.
    { env: run.environment, stdio: ['ignore', 'pipe', 'pipe'], detached: true },
  );
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });

  const tail: string[] = [];
  const keep = (line: string): void => {
    tail.push(line);
    if (tail.length > TAIL_LINES) tail.shift();
    run.onLine(line);
  };
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8');
    stream.pipe(run.log, { end: false });
    eachLine(stream, keep);
  }

  let killTimer: NodeJS.Timeout | undefined;
  const stop = (): void => {
    signalGroup(child.pid, 'SIGTERM');
    killTimer = setTimeout(() => signalGroup(child.pid, 'SIGKILL'), GRACE_MS);
  };
  run.signal.addEventListener('abort', stop, { once: true });
  try {
    const code = await ended;
    if (run.signal.aborted) throw problem('build_stopped', { cause: run.signal.reason });
    // unshare's own codes: 126 and 127 are those of a shell.
    if (code === 127) throw toolMissing(run.command, run.package);
    return { ok: code === 0, tail };
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT')
      throw toolMissing('setpriv', 'util-linux');
    throw error;
  } finally {
    run.signal.removeEventListener('abort', stop);
    clearTimeout(killTimer);
  }
}

function toolMissing(tool: string, debianPackage: string): Error {
  return problem('tool_missing', { facts: { tool, package: debianPackage } });
}

function signalGroup(pid: number | undefined, signal: NodeJS.Signals): void {
  try {
    if (pid !== undefined) process.kill(-pid, signal);
  } catch {
    // It ended by itself meanwhile.
  }
}

/** A progress bar ends its line with a carriage return. */
function eachLine(stream: NodeJS.ReadableStream, onLine: (line: string) => void): void {
  let rest = '';
  stream.on('data', (text: string) => {
    const lines = (rest + text).split(/[\r\n]+/);
    rest = lines.pop() ?? '';
    for (const line of lines) if (line !== '') onLine(line);
  });
  stream.on('end', () => {
    if (rest !== '') onLine(rest);
  });
}
