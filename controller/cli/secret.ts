import { endpoints } from '@bootswarm/controller/contract';
import type { Command } from 'commander';
import { askSecret } from './ask-secret.ts';
import { tableText } from './output.ts';
import { problem } from './problems.ts';
import { inSession } from './session.ts';

export function addSecret(program: Command): void {
  const secret = program
    .command('secret')
    .description('Passwords that the controller needs, such as those of BMCs. Nothing shows them again.');

  secret
    .command('set')
    .summary('keep a secret, or put another in its place')
    .description('Keeps a secret under a name: typed when asked, or the first line of standard input.')
    .argument('<name>', 'by which machines name it')
    .addHelpText('after', '\nExample:\n  bootswarm secret set rack7-bmc < password.txt')
    .action((name: string, _options: unknown, command: Command) =>
      inSession(command, async ({ output, signal, client }) => {
        const value = await askSecret(`secret ${name}`, signal);
        if (value === undefined) throw problem('password_not_given');
        const kept = await client().call(
          endpoints.setSecret,
          { params: { name }, body: { value } },
          { signal },
        );
        output.result(kept, () => `Secret ${name} is kept`);
      }),
    );

  secret
    .command('list')
    .description('List the names of secrets, and which machines need them.')
    .action((_options: unknown, command: Command) =>
      inSession(command, async ({ output, signal, client }) => {
        const secrets = await client().call(endpoints.listSecrets, {}, { signal });
        output.result(secrets, () =>
          tableText(
            ['SECRET', 'SET', 'MACHINES'],
            secrets.map(({ name, setAt, usedBy }) => [name, setAt, String(usedBy.length)]),
          ),
        );
      }),
    );

  secret
    .command('remove')
    .description('Remove a secret that no machine needs.')
    .argument('<name>')
    .action((name: string, _options: unknown, command: Command) =>
      inSession(command, async ({ output, signal, client }) => {
        await client().call(endpoints.removeSecret, { params: { name } }, { signal });
        output.result({ removed: name }, () => `Secret ${name} is removed`);
      }),
    );
}
