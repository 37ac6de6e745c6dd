import { endpoints } from '@bootswarm/controller/contract';
import { type Command, Option } from 'commander';
import { hostVariables, inventoryOf } from './ansible-inventory.ts';
import { inSession } from './session.ts';

const EXAMPLE = `
Ansible calls a script of its own with --list; this one will do:
  #!/bin/sh
  exec bootswarm inventory "$@"
Then: ansible -i ./bootswarm-inventory segment_net1 -m ping
A machine is in segment_…, class_…, state_…, intent_…, profile_…, release_… and label_…, with _ for what Ansible
does not take in names of groups.`;

export function addInventory(program: Command): void {
  program
    .command('inventory')
    .summary("print the machines as Ansible's inventory")
    .description("Prints the machines as a dynamic inventory of Ansible's.")
    .option('--list', 'all machines, with their groups and variables (default)')
    .addOption(new Option('--host <host>', 'the variables of one: name, id, UUID or MAC').conflicts('list'))
    .addHelpText('after', EXAMPLE)
    .action((options: { host?: string }, command: Command) =>
      inSession(command, async ({ output, signal, client }) => {
        const profiles = await client().profiles.list({}, { signal }).all();
        const { host } = options;
        if (host !== undefined) {
          const params = { machine: host };
          const machine = await client().call(endpoints.showMachine, { params }, { signal });
          return output.result(hostVariables(machine, profiles), jsonText);
        }
        const machines = await client().machines.list({}, { signal }).all();
        output.result(inventoryOf(machines, profiles), jsonText);
      }),
    );
}

/** Ansible reads JSON, whatever people asked for. */
function jsonText(value: object): string {
  return JSON.stringify(value, undefined, 2);
}
