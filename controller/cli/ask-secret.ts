import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';

/**
 * The first line of standard input that is not empty, asked for and not echoed where that is a terminal; undefined
 * where there is none.
 */
export async function askSecret(what: string, signal: AbortSignal): Promise<string | undefined> {
  const terminal = process.stdin.isTTY === true;
  const unseen = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: process.stdin, output: unseen, terminal, signal });
  // In a terminal the keys come raw, and Ctrl-C as one of them.
  lines.on('SIGINT', () => process.kill(process.pid, 'SIGINT'));
  if (terminal) process.stderr.write(`${what} (not shown): `);
  try {
    for await (const line of lines) if (line.trim() !== '') return line.trim();
    return undefined;
  } finally {
    lines.close();
    if (terminal) process.stderr.write('\n');
  }
}
