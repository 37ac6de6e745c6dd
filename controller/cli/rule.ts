import { endpoints, type MachineRule } from '@bootswarm/controller/contract';
import type { Command } from 'commander';
import { labelOf } from './machine-known.ts';
import { tableText } from './output.ts';
import { problem } from './problems.ts';
import { inSession } from './session.ts';

export function addRule(program: Command): void {
  const rule = program.command('rule').description('What is set of machines that are of a kind.');

  rule
    .command('set')
    .summary('add or change a rule')
    .description(
      'Adds or changes a rule: machines that match get a class, labels and properties, now and whenever they are inspected. The narrower rule wins, and what is set by hand over every rule.',
    )
    .argument('<name>')
    .requiredOption('--match <selector>', 'by what a machine is, such as product="PowerEdge R760",disks>=8')
    .requiredOption('--set <what=value...>', 'class=NAME, label.NAME=VALUE or property.NAME=VALUE')
    .addHelpText(
      'after',
      '\nExample:\n  bootswarm rule set gpus --match accelerator=10de:*,memory>=512G --set class=gpu label.pool=ml',
    )
    .action((name: string, options: { match: string; set: readonly string[] }, command: Command) =>
      inSession(command, async ({ output, signal, client }) => {
        const body: MachineRule = { name, match: options.match, set: setOf(options.set) };
        const set = await client().call(endpoints.replaceRule, { params: { name }, body }, { signal });
        output.result(set, () => `Rule ${name}: ${options.match} sets ${options.set.join(' ')}`);
      }),
    );

  rule
    .command('list')
    .description('List the rules.')
    .action((_options: unknown, command: Command) =>
      inSession(command, async ({ output, signal, client }) => {
        const rules = await client().call(endpoints.listRules, {}, { signal });
        output.result(rules, () =>
          tableText(
            ['RULE', 'MATCH', 'SETS'],
            rules.map(({ name, match, set }) => [name, match || 'all machines', setText(set)]),
          ),
        );
      }),
    );

  rule
    .command('remove')
    .description('Remove a rule, and what it set.')
    .argument('<name>')
    .action((name: string, _options: unknown, command: Command) =>
      inSession(command, async ({ output, signal, client }) => {
        await client().call(endpoints.removeRule, { params: { name } }, { signal });
        output.result({ removed: name }, () => `Removed rule ${name}`);
      }),
    );
}

/** @throws Problem argument_invalid */
function setOf(settings: readonly string[]): MachineRule['set'] {
  const of = (kind: string): Record<string, string> =>
    Object.fromEntries(
      settings
        .filter((text) => text.startsWith(`${kind}.`))
        .map((text) => labelOf(text.slice(kind.length + 1), kind)),
    );
  const foreign = settings.find((text) => !/^(?:class=|label\.|property\.)/.test(text));
  if (foreign !== undefined)
    throw problem('argument_invalid', {
      field: 'set',
      facts: { text: foreign, reason: 'is none of class=NAME, label.NAME=VALUE and property.NAME=VALUE' },
    });
  const [labels, properties] = [of('label'), of('property')];
  const name = settings.findLast((text) => text.startsWith('class='))?.slice('class='.length);
  return {
    ...(name === undefined ? {} : { class: name }),
    ...(Object.keys(labels).length > 0 ? { labels } : {}),
    ...(Object.keys(properties).length > 0 ? { properties } : {}),
  };
}

function setText({ class: name, labels = {}, properties = {} }: MachineRule['set']): string {
  return [
    ...(name === undefined ? [] : [`class=${name}`]),
    ...Object.entries(labels).map(([label, value]) => `label.${label}=${value}`),
    ...Object.entries(properties).map(([key, value]) => `property.${key}=${value}`),
  ].join(' ');
}
