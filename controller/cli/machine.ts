import {
  assignmentOf,
  endpoints,
  intentText,
  type Machine,
  type MachineStory,
  SELECTOR_FIELDS,
  VariableName,
  VariableValue,
  workStory,
} from '@bootswarm/controller/contract';
import type { Command } from 'commander';
import { addInspection } from './inspection.ts';
import { type IntentOptions, intentOf, isAssignedInstall } from './intent-arguments.ts';
import { addMachineBmc } from './machine-bmc.ts';
import { addMachineKnown } from './machine-known.ts';
import { addMachineLife, lifeFacts, lifeText } from './machine-life.ts';
import { type ListOptions, listMachines } from './machine-list.ts';
import { addMachinePower } from './machine-power.ts';
import { traitFacts } from './machine-text.ts';
import { addMachineWork } from './machine-work.ts';
import { factsText, tableText } from './output.ts';
import { problem } from './problems.ts';
import { addReservation } from './reservation.ts';
import { inSession } from './session.ts';

const BOOT_EXAMPLES = `
Examples:
  bootswarm machine boot 52:54:00:12:34:56 live minimal/1.0/amd64
  bootswarm machine boot 52:54:00:12:34:56 install web --release minimal/1.1/amd64
  bootswarm machine boot 52:54:00:12:34:56 install          as 'bootswarm assign' says
  bootswarm machine boot 52:54:00:12:34:56 wipe --disk S4EWNX0R123456 --method overwrite
  bootswarm machine boot 52:54:00:12:34:56 rescue --ssh-key ~/.ssh/id_ed25519.pub
install, installer and wipe write to disks: they are done once, and the machine boots its disk afterwards.`;

const SELECTOR_HELP = `
A selector is a list of terms, all of which must hold: FIELD=VALUE, FIELD!=VALUE, and for numbers >= <= > <.
  class=compute,memory>=64G,label.rack=r1|r2,segment!=lab
  name=web-*,state=available,product="PowerEdge R760"
Of values parted by | one is enough, * stands for anything, and text with blanks or other signs goes in double quotes.
K, M, G and T are powers of 1024. != also holds where a machine has no such value.
Fields: ${SELECTOR_FIELDS.join(', ')}, label.NAME, property.NAME.`;

export function addMachine(program: Command): void {
  const machine = program.command('machine').description('The servers that boot here.');
  addMachineWork(machine);
  addMachineBmc(machine);
  addMachinePower(machine);

  machine
    .command('list')
    .description('List the machines, or those that a selector means.')
    .option('--match <selector>', 'such as class=compute,memory>=64G,label.rack=r1|r2')
    .option('--limit <n>', 'at most so many')
    .addHelpText('after', SELECTOR_HELP)
    .action((options: ListOptions, command: Command) =>
      inSession(command, async ({ output, signal, client }) => {
        const machines = await listMachines(client(), options, signal);
        output.result(machines, () =>
          tableText(
            [
              'MACHINE',
              'NAME',
              'MAC',
              'CLASS',
              'SEGMENT',
              'ADDRESS',
              'INTENT',
              'STATE',
              'DISKS',
              'LAST SEEN',
            ],
            machines.map((each) => [
              each.id,
              each.name ?? '-',
              each.macs.join(','),
              each.class ?? '-',
              each.segment ?? '-',
              each.address ?? '-',
              each.intent ? intentText(each.intent) : 'default',
              lifeText(each),
              stateText(each),
              each.lastSeenAt ?? 'never',
            ]),
          ),
        );
      }),
    );

  machine
    .command('show')
    .description('Show a machine and what its edges last said of it.')
    .argument('<machine>', 'id, name, UUID or MAC')
    .action((key: string, _options: unknown, command: Command) =>
      inSession(command, async ({ output, signal, client }) => {
        const params = { machine: key };
        const story = await client().call(endpoints.showMachine, { params }, { signal });
        output.result(story, storyText);
      }),
    );

  machine
    .command('boot')
    .summary('say what a machine does at its next boot')
    .description(
      'Says what a machine does from its next boot on. A MAC that is not known yet registers a machine.',
    )
    .argument('<machine>', 'id, name, UUID or MAC')
    .argument('<intent>', 'local, live, menu, inspect, install, installer, wipe or rescue')
    .argument(
      '[what]',
      'NAME/VERSION/ARCHITECTURE for live, a profile for install and installer; install alone takes what is assigned',
    )
    .option('--by-agent', 'live: the agent verifies the root and runs it, under the kernel of the mini image')
    .option('--release <release>', "install: in the place of the profile's")
    .option('--disk <serial...>', 'wipe: serial numbers or WWNs of the disks')
    .option('--all', 'wipe: every disk of the machine')
    .option('--method <method>', 'wipe: auto, discard, secure-erase or overwrite')
    .option('--ssh-key <file...>', 'rescue: public keys of who may log in')
    .addHelpText('after', BOOT_EXAMPLES)
    .action((key: string, kind: string, what: string | undefined, options: IntentOptions, command: Command) =>
      inSession(command, async ({ output, signal, client }) => {
        const params = { machine: key };
        const changed = isAssignedInstall(kind, what, options)
          ? await client().call(endpoints.installAssigned, { params }, { signal })
          : await client().call(
              endpoints.setIntent,
              { params, body: await intentOf(kind, what, options) },
              { signal },
            );
        output.result(changed, () => `Machine ${changed.id} boots: ${ordersText(changed)}`);
      }),
    );

  machine
    .command('set-variable')
    .summary("set what installers' answers say of a machine")
    .description(
      "Sets variables of a machine's own, in the place of their defaults in installer profiles. A MAC that is not known yet registers a machine.",
    )
    .argument('<machine>', 'id, name, UUID or MAC')
    .argument('<name=value...>', 'NAME=VALUE; NAME alone takes the variable away')
    .addHelpText('after', '\nExample:\n  bootswarm machine set-variable 52:54:00:12:34:56 disk=/dev/nvme0n1')
    .action((key: string, settings: string[], _options: unknown, command: Command) =>
      inSession(command, async ({ output, signal, client }) => {
        const body = Object.fromEntries(settings.map(parseVariable));
        const request = { params: { machine: key }, body };
        const changed = await client().call(endpoints.setVariables, request, { signal });
        output.result(changed, () => variablesText(changed));
      }),
    );

  addMachineLife(machine);
  addInspection(machine);
  addMachineKnown(machine);
  addReservation(program, machine);
}

/** `NAME=VALUE`, or `NAME` to take it away. @throws Problem argument_invalid */
function parseVariable(text: string): [string, string | null] {
  const at = text.indexOf('=');
  const [name, value] = at < 0 ? [text, null] : [text.slice(0, at), text.slice(at + 1)];
  const faulty = [VariableName.safeParse(name), VariableValue.nullable().safeParse(value)].find(
    ({ success }) => !success,
  );
  if (!faulty) return [name, value];
  const reason = `is no variable NAME=VALUE: it ${faulty.error?.issues[0]?.message}`;
  throw problem('argument_invalid', { field: 'variable', facts: { text, reason } });
}

function variablesText({ id, variables = {} }: Machine): string {
  const rows = Object.entries(variables);
  return rows.length === 0
    ? `Machine ${id} has no variables of its own`
    : tableText(['VARIABLE', `OF MACHINE ${id}`], rows);
}

function storyText(story: MachineStory): string {
  const facts = factsText({
    machine: story.id,
    ...lifeFacts(story),
    macs: story.macs.join(' '),
    uuid: story.uuid,
    ...traitFacts(story),
    segment: story.segment,
    address: story.address,
    intent: ordersText(story),
    installed: installedText(story),
    disks: workText(story),
    bmc: bmcText(story),
    power: powerText(story),
    'first seen': story.firstSeenAt,
    'last seen': story.lastSeenAt,
  });
  if (story.journal.length === 0) return facts;
  const rows = story.journal.map((each) => [each.at, each.edge, each.stage, each.detail]);
  return `${facts}\n\n${tableText(['AT', 'EDGE', 'STAGE', 'WHAT HAPPENED'], rows)}`;
}

/** `install web, as assignment web-prod says`. */
function ordersText(machine: Machine): string {
  const given = assignmentOf(machine);
  const by = given === undefined ? '' : `, as assignment ${given.name} says`;
  return machine.intent ? intentText(machine.intent) + by : 'default of its segment';
}

/** `failed: no_first_boot`; how the agent's work on the disks stands. */
function stateText(machine: Machine): string {
  const story = workStory(machine);
  return [story?.state, story?.cause].filter(Boolean).join(': ') || '-';
}

function workText(machine: Machine): string | undefined {
  const story = workStory(machine);
  if (!story) return undefined;
  const since = story.since === undefined ? '' : ` since ${story.since}`;
  return `${stateText(machine)}${since}: ${story.detail}`;
}

function bmcText({ bmc }: Machine): string | undefined {
  if (!bmc) return undefined;
  return `${bmc.kind} ${bmc.kind === 'command' ? bmc.program : bmc.address}`;
}

/** `on; pxe failed 2026-...: why`. */
function powerText({ power }: Machine): string | undefined {
  if (!power) return undefined;
  const why = power.cause === undefined ? '' : `: ${power.cause.message}`;
  return `${power.seen ?? 'unknown'}; ${power.action} ${power.state} ${power.changedAt}${why}`;
}

/** How the single-use intent went, as far as an edge told. */
function installedText({ intent, epoch, spent }: Machine): string | undefined {
  if (intent?.kind !== 'installer') return undefined;
  if (spent === undefined || spent.epoch < (epoch ?? 0)) return 'not yet: at its next boot';
  return `${spent.at}, edge ${spent.edge}: ${spent.detail}. Boots from its disk until the intent is set again`;
}
