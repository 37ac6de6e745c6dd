import { endpoints, LabelName, LabelValue, type Machine, Name } from '@bootswarm/controller/contract';
import type { Command } from 'commander';
import { macsIn, readMachineFile } from './machine-file.ts';
import { explanationText, labelsText } from './machine-text.ts';
import { factsText } from './output.ts';
import { problem } from './problems.ts';
import { inSession } from './session.ts';

interface RegisterOptions {
  readonly mac: readonly string[];
  readonly uuid?: string;
  readonly name?: string;
  readonly serial?: string;
  readonly segment?: string;
  readonly label?: readonly string[];
  readonly class?: string;
  readonly rack?: string;
  readonly position?: string;
}

const FILE_EXAMPLES = `
machines.csv:
  mac,name,serial,class,rack,label.team
  52:54:00:12:34:56 52:54:00:12:34:57,web-1,CZ1234,web,r1,shop
machines.yaml (JSON does as well):
  - { mac: 52:54:00:12:34:56, name: web-1, class: web, rack: r1, labels: { team: shop } }`;

/** What operators say of machines: registration, labels, classes, hardware that is as it should be. */
export function addMachineKnown(machine: Command): void {
  machine
    .command('register')
    .summary('make a machine known before it is heard')
    .description('Makes a machine known, or says more of one that is. The same again changes nothing.')
    .requiredOption('--mac <mac...>', 'of its network cards')
    .option('--uuid <uuid>')
    .option('--name <name>', 'by which every command takes it')
    .option('--serial <serial>')
    .option('--segment <segment>', 'in which it is expected')
    .option('--label <name=value...>')
    .option('--class <class>')
    .option('--rack <rack>')
    .option('--position <position>', 'in the rack')
    .addHelpText(
      'after',
      '\nExample:\n  bootswarm machine register --mac 52:54:00:12:34:56 --name web-1 --class web --label team=shop',
    )
    .action((options: RegisterOptions, command: Command) =>
      inSession(command, async ({ output, signal, client }) => {
        const { mac, label = [], ...rest } = options;
        const { json: _, controller: __, ...own } = rest as RegisterOptions & Record<string, unknown>;
        const labels = Object.fromEntries(label.map((text) => labelOf(text)));
        const body = {
          ...own,
          macs: mac.flatMap(macsIn),
          ...(label.length > 0 ? { labels } : {}),
        };
        const registered = await client().call(endpoints.registerMachine, { body }, { signal });
        output.result(registered, registeredText);
      }),
    );

  machine
    .command('import')
    .summary('register all machines of a file')
    .description(
      'Registers the machines of a file: all of them, or none and all that is wrong with the file.',
    )
    .argument('<file>', 'CSV, YAML or JSON')
    .option('--dry-run', 'only say what would change')
    .addHelpText('after', FILE_EXAMPLES)
    .action((file: string, options: { dryRun?: true }, command: Command) =>
      inSession(command, async ({ output, signal, client }) => {
        const rows = await readMachineFile(file);
        const body = { rows: [...rows], dryRun: options.dryRun === true };
        const receipt = await client().call(endpoints.importMachines, { body }, { signal });
        const would = receipt.dryRun ? 'would be ' : '';
        output.result(
          receipt,
          ({ added, changed, unchanged }) =>
            `${added} machines ${would}added, ${changed} ${would}changed, ${unchanged} unchanged`,
        );
      }),
    );

  machine
    .command('label')
    .summary('set labels by hand, or take them back')
    .description('Sets labels of a machine by hand. One that is taken back is said by rules again.')
    .argument('<machine>', 'id, name, UUID or MAC')
    .argument('<name=value...>', 'NAME=VALUE sets a label, NAME- takes it back')
    .addHelpText('after', '\nExample:\n  bootswarm machine label web-1 team=shop old-')
    .action((key: string, settings: string[], _options: unknown, command: Command) =>
      inSession(command, async ({ output, signal, client }) => {
        const labels = Object.fromEntries(
          settings.map((text) =>
            /^[^=]+-$/.test(text) ? [nameOf(text.slice(0, -1), text), null] : labelOf(text),
          ),
        );
        const request = { params: { machine: key }, body: { labels } };
        output.result(await client().call(endpoints.changeTraits, request, { signal }), labelsText);
      }),
    );

  machine
    .command('class')
    .summary('set the class by hand, or take it back')
    .description('Sets the class of a machine by hand, or leaves it to rules again.')
    .argument('<machine>', 'id, name, UUID or MAC')
    .argument('[class]')
    .option('--from-rules', 'leave it to rules again')
    .action((key: string, name: string | undefined, options: { fromRules?: true }, command: Command) =>
      inSession(command, async ({ output, signal, client }) => {
        if ((name === undefined) === (options.fromRules === undefined))
          throw invalid('class', name ?? '', 'needs either a class or --from-rules');
        if (name !== undefined && !Name.safeParse(name).success)
          throw invalid('class', name, `is no class: it ${Name.safeParse(name).error?.issues[0]?.message}`);
        const request = { params: { machine: key }, body: { class: name ?? null } };
        const changed = await client().call(endpoints.changeTraits, request, { signal });
        output.result(changed, ({ id, class: now }) => `Machine ${id} has class ${now ?? '-'}`);
      }),
    );

  machine
    .command('accept-hardware')
    .summary('take changed hardware as it should be')
    .description('What the last inspection of a machine found is as it should be from now on.')
    .argument('<machine>', 'id, name, UUID or MAC')
    .action((key: string, _options: unknown, command: Command) =>
      inSession(command, async ({ output, signal, client }) => {
        const accepted = await client().call(
          endpoints.acceptHardware,
          { params: { machine: key } },
          { signal },
        );
        output.result(
          accepted,
          ({ id }) => `The hardware of machine ${id} is accepted as it was inspected last`,
        );
      }),
    );

  machine
    .command('explain')
    .summary('tell which rules gave a machine its values')
    .description(
      'Tells which rules gave a machine its labels and class, which lost, and what is assigned to it.',
    )
    .argument('<machine>', 'id, name, UUID or MAC')
    .action((key: string, _options: unknown, command: Command) =>
      inSession(command, async ({ output, signal, client }) => {
        const explained = await client().call(
          endpoints.explainMachine,
          { params: { machine: key } },
          { signal },
        );
        output.result(explained, explanationText);
      }),
    );
}

/** `NAME=VALUE`. @throws Problem argument_invalid */
export function labelOf(text: string, field = 'label'): [string, string] {
  const at = text.indexOf('=');
  if (at < 0) throw invalid(field, text, `is no ${field} NAME=VALUE`);
  const value = LabelValue.safeParse(text.slice(at + 1));
  if (!value.success)
    throw invalid(field, text, `is no ${field} NAME=VALUE: the value ${value.error.issues[0]?.message}`);
  return [nameOf(text.slice(0, at), text, field), value.data];
}

function nameOf(name: string, text: string, field = 'label'): string {
  const parsed = LabelName.safeParse(name);
  if (parsed.success) return parsed.data;
  throw invalid(field, text, `is no ${field} NAME=VALUE: the name ${parsed.error.issues[0]?.message}`);
}

function registeredText({ id, macs, name, class: kind, labels = {} }: Machine): string {
  return factsText({
    machine: id,
    name,
    macs: macs.join(' '),
    class: kind,
    labels:
      Object.entries(labels)
        .map(([label, value]) => `${label}=${value}`)
        .join(' ') || undefined,
  });
}

function invalid(field: string, text: string, reason: string): Error {
  return problem('argument_invalid', { field, facts: { text, reason } });
}
