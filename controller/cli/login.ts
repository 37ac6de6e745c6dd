import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { Client, endpoints } from '@bootswarm/controller/contract';
import type { Command } from 'commander';
import { keepCredentials } from './credentials.ts';
import { problem } from './problems.ts';
import { inSession } from './session.ts';

export function addLogin(program: Command): void {
  program
    .command('login')
    .summary('keep the controller and the token for later commands')
    .description(
      "Keeps a controller's URL and the operator's token, which the controller shows at its first start.",
    )
    .argument('<url>', 'such as http://controller:8470')
    .addHelpText(
      'after',
      '\nThe token is asked for, or read from standard input:\n  bootswarm login URL < token-file',
    )
    .action((url: string, _options: unknown, command: Command) =>
      inSession(command, async ({ output, signal }) => {
        const token = process.env['BOOTSWARM_TOKEN'] ?? (await askToken(signal));
        await new Client({ url, token }).call(endpoints.listEdges, {}, { signal });
        const file = keepCredentials(process.env, { url, token });
        output.result({ url, file }, () => `Logged in to ${url}; kept in ${file}`);
      }),
    );
}

/** The first line of standard input, asked for and not echoed where that is a terminal. */
async function askToken(signal: AbortSignal): Promise<string> {
  const terminal = process.stdin.isTTY === true;
  const unseen = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: process.stdin, output: unseen, terminal, signal });
  // In a terminal the keys come raw, and Ctrl-C as one of them.
  lines.on('SIGINT', () => process.kill(process.pid, 'SIGINT'));
  if (terminal) process.stderr.write("operator's token (not shown): ");
  try {
    for await (const line of lines) if (line.trim() !== '') return line.trim();
    throw problem('token_not_given');
  } finally {
    lines.close();
    if (terminal) process.stderr.write('\n');
  }
}
