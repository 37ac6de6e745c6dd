import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';

const RESTART_MS = 5_000;

export interface RescueOptions {
  /** Lines of authorized_keys(5). */
  readonly sshKeys: readonly string[];
  readonly say: (line: string) => void;
  /** Ends it: whoever is in is put out. */
  readonly signal: AbortSignal;
  /** Another than `/root`, for tests. */
  readonly home?: string;
  readonly program?: string;
}

/**
 * Lets whoever has one of the keys in by SSH, as root, and nobody by password. Host keys are made at the first
 * connection and last as long as the machine is up. Runs until the signal ends it.
 */
export async function rescue({
  sshKeys,
  say,
  signal,
  home = '/root',
  program = 'dropbear',
}: RescueOptions): Promise<void> {
  await mkdir(`${home}/.ssh`, { recursive: true, mode: 0o700 });
  await writeFile(`${home}/.ssh/authorized_keys`, `${sshKeys.join('\n')}\n`, { mode: 0o600 });
  await mkdir('/etc/dropbear', { recursive: true });
  while (!signal.aborted) {
    const server = spawn(program, ['-R', '-s', '-F', '-E', '-p', '22'], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const how = await ended(server, say, signal);
    if (signal.aborted) return;
    say(`the SSH server ended with ${how}; starting it again`);
    await sleep(RESTART_MS, undefined, { signal }).catch(() => {});
  }
}

async function ended(
  server: ChildProcess,
  say: (line: string) => void,
  signal: AbortSignal,
): Promise<string> {
  const stop = (): void => void server.kill();
  signal.addEventListener('abort', stop, { once: true });
  process.once('exit', stop);
  for (const output of [server.stdout, server.stderr])
    if (output) createInterface({ input: output }).on('line', (line) => say(`ssh: ${line}`));
  try {
    return await new Promise<string>((resolve) => {
      server.once('error', ({ message }) => resolve(message));
      server.once('close', (code, by) => resolve(by ?? `code ${code}`));
    });
  } finally {
    signal.removeEventListener('abort', stop);
    process.off('exit', stop);
  }
}
