import { spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { problem } from './problems.ts';

/** No listing of an honest medium takes longer, and no hostile one may. */
const TIMEOUT_MS = 120_000;
/** A listing of a million files. */
const MOST_OUTPUT_BYTES = 512 * 1024 * 1024;
/** A file system that claims a million files makes its reader ask for memory before it finds out. */
const MOST_MEMORY_BYTES = 4 * 1024 ** 3;

export interface ReaderRun {
  readonly command: string;
  readonly arguments: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** Debian package that holds the command, for the remedy. */
  readonly package: string;
  /** What is read, for messages. */
  readonly source: string;
  /** Given to its standard input. */
  readonly input?: Readable;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Runs a program that reads a medium or packs one, as the user who asked.
 * @returns what it printed.
 * @throws Problem `tool_missing`; `tool_failed` where it failed, or took too long or told too much.
 */
export async function runReader(run: ReaderRun): Promise<string> {
  const timeout = AbortSignal.timeout(TIMEOUT_MS);
  const limited = [`--as=${MOST_MEMORY_BYTES}`, '--core=0', '--', run.command, ...run.arguments];
  const child = spawn('prlimit', limited, {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { PATH: process.env['PATH'], LC_ALL: 'C.UTF-8', TZ: 'UTC', ...run.environment },
    signal: run.signal ? AbortSignal.any([run.signal, timeout]) : timeout,
    killSignal: 'SIGKILL',
  });
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  ended.catch(() => {});
  // It may end before it read all of its input: what it said is what counts.
  child.stdin.on('error', () => {});
  if (run.input) pipeline(run.input, child.stdin).catch(() => {});
  else child.stdin.end();

  const parts: Buffer[] = [];
  let bytes = 0;
  let tooMuch = false;
  child.stdout.on('data', (part: Buffer) => {
    bytes += part.length;
    if (bytes > MOST_OUTPUT_BYTES) {
      tooMuch = true;
      child.kill('SIGKILL');
    } else parts.push(part);
  });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-2000);
  });
  const failed = (reason: string, cause?: unknown): Error =>
    problem('tool_failed', { facts: { tool: run.command, source: run.source, reason }, cause });
  let code: number | null;
  try {
    code = await ended;
  } catch (error) {
    run.signal?.throwIfAborted();
    if (timeout.aborted) throw failed(`it took longer than ${TIMEOUT_MS / 1000} s`, error);
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT')
      throw problem('tool_missing', { facts: { tool: 'prlimit', package: 'util-linux' } });
    throw error;
  } finally {
    run.input?.destroy();
  }
  // What a shell says too where it finds no such program; prlimit runs it in its own place.
  if (code === 127) throw problem('tool_missing', { facts: { tool: run.command, package: run.package } });
  if (tooMuch) throw failed(`it told more than ${MOST_OUTPUT_BYTES} bytes`);
  if (code !== 0) throw failed(said.trim().split('\n').at(-1) || `it ended with ${code}`);
  return Buffer.concat(parts).toString('utf8');
}
