import { createInterface } from 'node:readline/promises';
import { Client, endpoints } from '@bootswarm/controller/contract';
import type { Command } from 'commander';
import { keepCredentials } from './credentials.ts';
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

async function askToken(signal: AbortSignal): Promise<string> {
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return (await lines.question("operator's token: ", { signal })).trim();
  } finally {
    lines.close();
  }
}
