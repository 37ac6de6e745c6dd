import {
  endpoints,
  narrownessOf,
  selectorOf,
  VariableName,
  VariableValue,
} from '@bootswarm/controller/contract';
import type { Command } from 'commander';
import { tableText } from './output.ts';
import { problem } from './problems.ts';
import { parseReference } from './references.ts';
import { inSession } from './session.ts';

interface AssignOptions {
  readonly match: string;
  readonly profile: string;
  readonly release?: string;
  readonly kernelArg?: readonly string[];
  readonly variable?: readonly string[];
}

export function addAssignment(program: Command): void {
  program
    .command('assign')
    .summary('say by which profile machines are installed')
    .description(
      'Says by which profile machines are installed: by `machine boot MACHINE install`, and newcomers of a segment that has them installed. What is armed already does not change; a rollout names its own release. `machine explain` tells what holds for a machine. The narrowest that matches holds: one that names the machine, then one of more terms, then one of its segment, then one for all.',
    )
    .argument('<name>', 'of the assignment')
    .option('--match <selector>', 'of which machines; all without it', '')
    .requiredOption('--profile <profile>')
    .option('--release <release>', "NAME/VERSION or NAME/@CHANNEL, in the place of the profile's")
    .option(
      '--kernel-arg <argument...>',
      "behind the profile's; what it says of a name takes the place of all that the profile says of it",
    )
    .option('--variable <name=value...>', "in the place of the profile's defaults")
    .addHelpText(
      'after',
      '\nExample:\n  bootswarm assign web --match class=web,segment=prod --profile web --release minimal/@stable',
    )
    .action((name: string, options: AssignOptions, command: Command) =>
      inSession(command, async ({ output, signal, client }) => {
        const { match, profile, release } = options;
        const body = {
          name,
          match,
          profile,
          ...(release === undefined ? {} : { release: parseReference(release) }),
          kernelArguments: [...(options.kernelArg ?? [])],
          variables: Object.fromEntries((options.variable ?? []).map(variableOf)),
        };
        const request = { params: { name }, body };
        const made = await client().call(endpoints.replaceAssignment, request, { signal });
        output.result(made, () => `Assignment ${name}: ${match || 'all machines'} by profile ${profile}`);
      }),
    );

  const assignment = program.command('assignment').description('By which profiles machines are installed.');

  assignment
    .command('list')
    .description('List the assignments.')
    .action((_options: unknown, command: Command) =>
      inSession(command, async ({ output, signal, client }) => {
        const assignments = await client().call(endpoints.listAssignments, {}, { signal });
        output.result(assignments, () =>
          tableText(
            ['ASSIGNMENT', 'MATCH', 'NARROW', 'PROFILE', 'RELEASE'],
            assignments.map((each) => [
              each.name,
              each.match || 'all machines',
              narrowText(each.match),
              each.profile,
              each.release ?? '-',
            ]),
          ),
        );
      }),
    );

  assignment
    .command('remove')
    .description('Remove an assignment.')
    .argument('<name>')
    .action((name: string, _options: unknown, command: Command) =>
      inSession(command, async ({ output, signal, client }) => {
        await client().call(endpoints.removeAssignment, { params: { name } }, { signal });
        output.result({ removed: name }, () => `Removed assignment ${name}`);
      }),
    );
}

function narrowText(match: string): string {
  const { level, terms } = narrownessOf(selectorOf(match));
  return level === 'terms' ? `${terms} terms` : level;
}

/** @throws Problem argument_invalid */
function variableOf(text: string): [string, string] {
  const at = text.indexOf('=');
  const [name, value] = [
    VariableName.safeParse(text.slice(0, Math.max(0, at))),
    VariableValue.safeParse(text.slice(at + 1)),
  ];
  if (at > 0 && name.success && value.success) return [name.data, value.data];
  const reason = `is no variable NAME=VALUE: it ${(name.error ?? value.error)?.issues[0]?.message}`;
  throw problem('argument_invalid', { field: 'variable', facts: { text, reason } });
}
