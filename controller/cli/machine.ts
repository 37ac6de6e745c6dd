import { endpoints, intentText, type MachineStory } from '@bootswarm/controller/contract';
import type { Command } from 'commander';
import { factsText, tableText } from './output.ts';
import { parseIntent } from './references.ts';
import { inSession } from './session.ts';

export function addMachine(program: Command): void {
  const machine = program.command('machine').description('The servers that boot here.');

  machine
    .command('list')
    .description('List the machines.')
    .action((_options: unknown, command: Command) =>
      inSession(command, async ({ output, signal, client }) => {
        const machines = await client().call(endpoints.listMachines, {}, { signal });
        output.result(machines, () =>
          tableText(
            ['MACHINE', 'MAC', 'SEGMENT', 'ADDRESS', 'INTENT', 'LAST SEEN'],
            machines.map((each) => [
              each.id,
              each.macs.join(','),
              each.segment ?? '-',
              each.address ?? '-',
              each.intent ? intentText(each.intent) : 'default',
              each.lastSeenAt ?? 'never',
            ]),
          ),
        );
      }),
    );

  machine
    .command('show')
    .description('Show a machine and what its edges last said of it.')
    .argument('<machine>', 'id, UUID or MAC')
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
    .argument('<machine>', 'id, UUID or MAC')
    .argument('<intent>', 'local, live or menu')
    .argument('[release]', 'NAME/VERSION/ARCHITECTURE, for live')
    .addHelpText('after', '\nExample:\n  bootswarm machine boot 52:54:00:12:34:56 live minimal/1.0/amd64')
    .action((key: string, kind: string, release: string | undefined, _options: unknown, command: Command) =>
      inSession(command, async ({ output, signal, client }) => {
        const request = { params: { machine: key }, body: parseIntent(kind, release) };
        const changed = await client().call(endpoints.setIntent, request, { signal });
        output.result(changed, () => `Machine ${changed.id} boots: ${intentText(request.body)}`);
      }),
    );
}

function storyText(story: MachineStory): string {
  const facts = factsText({
    machine: story.id,
    macs: story.macs.join(' '),
    uuid: story.uuid,
    segment: story.segment,
    address: story.address,
    intent: story.intent ? intentText(story.intent) : 'default of its segment',
    'first seen': story.firstSeenAt,
    'last seen': story.lastSeenAt,
  });
  if (story.journal.length === 0) return facts;
  const rows = story.journal.map((each) => [each.at, each.edge, each.stage, each.detail]);
  return `${facts}\n\n${tableText(['AT', 'EDGE', 'STAGE', 'WHAT HAPPENED'], rows)}`;
}
