import { hashMenuPassword } from '@bootswarm/controller/contract';
import type { Command } from 'commander';
import { askSecret } from './ask-secret.ts';
import { problem } from './problems.ts';
import { inSession } from './session.ts';

export function addMenu(program: Command): void {
  program
    .command('menu')
    .description('The boot menus of segments.')
    .command('password')
    .description('Make the hash of a password, to stand in the menu of a segment.')
    .addHelpText('after', MENU_EXAMPLE)
    .action((_options: unknown, command: Command) =>
      inSession(command, async ({ output, signal }) => {
        const password = await askSecret('password of the menu', signal);
        if (password === undefined) throw problem('password_not_given');
        const hash = await hashMenuPassword(password);
        output.result({ password: hash }, () => hash);
      }),
    );
}

const MENU_EXAMPLE = `
Example of a menu, to be applied with 'bootswarm segment apply FILE':
  name: rack7
  subnet: 10.1.7.0/24
  pools: [{ first: 10.1.7.100, last: 10.1.7.199 }]
  edges: [edge1]
  defaultIntent: { kind: menu }
  menu:
    title: Rack 7
    timeoutSeconds: 20
    password: scrypt:...
    entries:
      - { kind: local, label: Local disk }
      - { kind: live, label: Minimal, release: minimal/1.0/amd64 }
      - { kind: rescue, label: Rescue shell, release: minimal/1.0/amd64, locked: true }
      - { kind: memtest, label: Memory test }`;
