import { Bmc, endpoints, type Machine } from '@bootswarm/controller/contract';
import type { Command } from 'commander';
import { z } from 'zod';
import { factsText } from './output.ts';
import { problem } from './problems.ts';
import { inSession } from './session.ts';

const EXAMPLES = `
Examples:
  bootswarm machine bmc 52:54:00:12:34:56 ipmi --address 10.9.0.7 --user admin --secret rack7-bmc
  bootswarm machine bmc 52:54:00:12:34:56 redfish --address bmc7.example --user root --secret rack7-bmc
  bootswarm machine bmc 52:54:00:12:34:56 command --program pdu --argument outlet={mac} --argument {action}
  bootswarm machine bmc 52:54:00:12:34:56 wol --address 10.1.2.255
The password is a secret of its own: 'bootswarm secret set NAME'.`;

interface BmcOptions {
  readonly remove?: true;
  readonly verify: boolean;
  readonly port?: string;
  readonly cipherSuite?: string;
  readonly argument?: readonly string[];
  readonly address?: string;
  readonly user?: string;
  readonly secret?: string;
  readonly firmware?: string;
  readonly fingerprint?: string;
  readonly systemId?: string;
  readonly program?: string;
  readonly mac?: string;
}

export function addMachineBmc(machine: Command): void {
  machine
    .command('bmc')
    .summary('say by what a machine is turned on and off')
    .description(
      'Shows, sets or removes by what a machine is turned on and off. A MAC that is not known yet registers a machine.',
    )
    .argument('<machine>', 'id, name, UUID or MAC')
    .argument('[kind]', 'ipmi, redfish, command or wol; shown where it is left out')
    .option('--address <address>', 'of the BMC; wol: the broadcast address')
    .option('--port <port>', 'another than 623 (ipmi), 443 (redfish), 9 (wol)')
    .option('--user <user>', 'of the BMC')
    .option('--secret <name>', 'of the password; wol: of SecureOn')
    .option('--cipher-suite <number>', 'ipmi: 3 or 17')
    .option('--firmware <kind>', 'ipmi: uefi or bios, for the network boot that is asked for')
    .option('--fingerprint <sha256>', 'redfish: pin this certificate')
    .option('--no-verify', 'redfish: take any certificate')
    .option('--system-id <id>', 'redfish: of several systems')
    .option('--program <name>', "command: a file in the controller's folder of them")
    .option('--argument <text...>', 'command: {action}, {machine}, {mac} and {uuid} are filled in')
    .option('--mac <mac>', 'wol: another than the first of the machine')
    .option('--remove', 'forget it')
    .addHelpText('after', EXAMPLES)
    .action((key: string, kind: string | undefined, options: BmcOptions, command: Command) =>
      inSession(command, async ({ output, signal, client }) => {
        const params = { machine: key };
        if (options.remove) {
          const changed = await client().call(endpoints.removeBmc, { params }, { signal });
          output.result(changed, () => `Machine ${changed.id} has no BMC`);
        } else if (kind === undefined) {
          const shown = await client().call(endpoints.showMachine, { params }, { signal });
          output.result(shown.bmc ?? null, () => bmcText(shown));
        } else {
          const body = bmcOf(kind, options);
          const changed = await client().call(endpoints.setBmc, { params, body }, { signal });
          output.result(changed, bmcText);
        }
      }),
    );
}

/** @throws Problem argument_invalid, naming the option. */
export function bmcOf(kind: string, options: BmcOptions): Bmc {
  const { remove: _, verify, port, cipherSuite, argument, ...rest } = options;
  const parsed = Bmc.safeParse({
    kind,
    ...rest,
    ...(verify ? {} : { verify }),
    ...(port === undefined ? {} : { port: Number(port) }),
    ...(cipherSuite === undefined ? {} : { cipherSuite: Number(cipherSuite) }),
    ...(argument === undefined ? {} : { arguments: argument }),
  });
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const field =
    issue?.code === 'unrecognized_keys' ? (issue.keys[0] ?? '') : z.core.toDotPath(issue?.path ?? []);
  const option = optionOf(field);
  const text = String(
    (options as unknown as Record<string, unknown>)[field] ?? (field === 'kind' ? kind : ''),
  );
  const reason =
    issue?.code === 'unrecognized_keys' ? `is not for a BMC of kind ${kind}` : (issue?.message ?? '');
  throw problem('argument_invalid', { field: option, facts: { text, reason } });
}

function optionOf(field: string): string {
  if (field === 'kind') return 'kind';
  const name = field.startsWith('arguments') ? 'argument' : field;
  return name === 'verify'
    ? '--no-verify'
    : `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

function bmcText({ id, bmc }: Machine): string {
  if (!bmc) return `Machine ${id} has no BMC`;
  const shown = Object.entries(bmc).map(([name, value]) => [
    name,
    Array.isArray(value) ? value.join(' ') : String(value),
  ]);
  return factsText({ machine: id, ...Object.fromEntries(shown) });
}
