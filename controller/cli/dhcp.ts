import { endpoints } from '@bootswarm/controller/contract';
import type { Command } from 'commander';
import { stringify } from 'yaml';
import { appliedText, applyDocument, readApplyFile } from './apply.ts';
import { addDhcpImport } from './dhcp-import.ts';
import { inSession } from './session.ts';

export function addDhcp(program: Command): void {
  const dhcp = program.command('dhcp').description('What holds for DHCP in every segment.');
  addDhcpImport(dhcp);
  const policy = dhcp.command('policy').description('Options and classes that hold in every segment.');

  policy
    .command('show')
    .description('Show the options and classes, as apply takes them.')
    .action((_options: unknown, command: Command) =>
      inSession(command, async ({ output, signal, client }) => {
        const held = await client().call(endpoints.showPolicy, {}, { signal });
        output.result(held, () => stringify({ policy: held }).trimEnd());
      }),
    );

  policy
    .command('apply')
    .description('Put the policy of a file (YAML or JSON, key "policy") in the place of the one there is.')
    .argument('<file>')
    .option('--dry-run', 'only say what would change')
    .addHelpText('after', POLICY_EXAMPLE)
    .action((file: string, options: { dryRun?: true }, command: Command) =>
      inSession(command, async ({ output, signal, client }) => {
        const dryRun = options.dryRun === true;
        const applied = await applyDocument(client(), await readApplyFile(file), { dryRun, signal });
        output.result(applied, () => appliedText(applied, dryRun));
      }),
    );
}

const POLICY_EXAMPLE = `
Example:
  policy:
    options:
      ntp-servers: 10.0.0.123
    classes:
      - name: rack7
        match: { circuitId: 'sw7:*' }
        options: { interface-mtu: 9000 }
      - name: old-nics
        match: { ouis: ['00:1b:21'] }
        firmware: { bios: undionly.kkpxe }`;
