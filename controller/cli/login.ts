import { connect } from '@bootswarm/controller/client';
import type { Command } from 'commander';
import { askSecret } from './ask-secret.ts';
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
        const token = process.env['BOOTSWARM_TOKEN'] ?? (await askSecret("operator's token", signal));
        if (token === undefined) throw problem('token_not_given');
        await connect({ url, token }).edges.list({}, { signal }).all(1);
        const file = keepCredentials(process.env, { url, token });
        output.result({ url, file }, () => `Logged in to ${url}; kept in ${file}`);
      }),
    );
}
