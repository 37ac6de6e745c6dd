import { endpoints, intentText } from '@bootswarm/controller/contract';
import type { Command } from 'commander';
import { stringify } from 'yaml';
import { type Applied, appliedText, applyDocument, readApplyFile } from './apply.ts';
import { tableText } from './output.ts';
import { parsePool, parseReference } from './references.ts';
import { poolsText, segmentText, withoutDefaults } from './segment-text.ts';
import { inSession } from './session.ts';

interface AddOptions {
  readonly subnet: string;
  readonly pool: string[];
  readonly edge: string[];
  readonly router?: string;
  readonly relay?: string[];
  readonly dns?: string[];
  readonly domain?: string;
  readonly leaseSeconds?: string;
  readonly defaultLive?: string;
}

export function addSegment(program: Command): void {
  const segment = program.command('segment').description('The VLANs that machines boot in.');

  segment
    .command('add')
    .description('Add a segment and name the edges that serve it.')
    .argument('<name>')
    .requiredOption('--subnet <cidr>', 'such as 10.1.2.0/24')
    .requiredOption('--pool <first-last...>', 'addresses to give away, such as 10.1.2.100-10.1.2.199')
    .requiredOption('--edge <name...>', 'edges that serve it')
    .option('--router <address>', "the machines' default gateway")
    .option('--relay <address...>', 'giaddr of its relays, where that is not in the subnet')
    .option('--dns <address...>', 'name servers')
    .option('--domain <domain>')
    .option('--lease-seconds <seconds>', 'default 3600')
    .option('--default-live <release>', 'machines without an intent of their own boot this release')
    .action((name: string, options: AddOptions, command: Command) =>
      inSession(command, async ({ output, signal, client }) => {
        const body = {
          name,
          subnet: options.subnet,
          pools: options.pool.map(parsePool),
          edges: options.edge,
          ...(options.router === undefined ? {} : { router: options.router }),
          ...(options.relay === undefined ? {} : { relays: options.relay }),
          ...(options.dns === undefined ? {} : { dnsServers: options.dns }),
          ...(options.domain === undefined ? {} : { domain: options.domain }),
          ...(options.leaseSeconds === undefined ? {} : { leaseSeconds: Number(options.leaseSeconds) }),
          ...(options.defaultLive === undefined
            ? {}
            : { defaultIntent: { kind: 'live' as const, release: parseReference(options.defaultLive) } }),
        };
        const added = await client().call(endpoints.addSegment, { body }, { signal });
        output.result(added, () => `Added segment ${added.name}: ${added.subnet}, served by ${added.edges}`);
      }),
    );

  segment
    .command('apply')
    .summary('add or change segments as a file says')
    .description(
      'Adds or changes the segments of files (YAML or JSON, keys "segments" and "policy", or one segment).',
    )
    .argument('<file...>')
    .option('--dry-run', 'only say what would change')
    .addHelpText('after', "\n'bootswarm segment show NAME --yaml' prints what this takes.")
    .action((files: string[], options: { dryRun?: true }, command: Command) =>
      inSession(command, async ({ output, signal, client }) => {
        const dryRun = options.dryRun === true;
        // All are read before the first is applied: a slip in the last must not leave the first half done.
        const documents = await Promise.all(files.map(readApplyFile));
        const applied: Applied[] = [];
        for (const document of documents)
          applied.push(...(await applyDocument(client(), document, { dryRun, signal })));
        output.result(applied, () => appliedText(applied, dryRun));
      }),
    );

  segment
    .command('list')
    .description('List the segments.')
    .action((_options: unknown, command: Command) =>
      inSession(command, async ({ output, signal, client }) => {
        const segments = await client().segments.list({}, { signal }).all();
        output.result(segments, () =>
          tableText(
            ['SEGMENT', 'SUBNET', 'POOLS', 'EDGES', 'DEFAULT'],
            segments.map((each) => [
              each.name,
              each.subnet,
              poolsText(each),
              each.edges.join(','),
              intentText(each.defaultIntent),
            ]),
          ),
        );
      }),
    );

  segment
    .command('show')
    .description('Show a segment.')
    .argument('<name>')
    .option('--yaml', 'as apply takes it')
    .action((name: string, options: { yaml?: true }, command: Command) =>
      inSession(command, async ({ output, signal, client }) => {
        const found = await client().call(endpoints.showSegment, { params: { name } }, { signal });
        output.result(
          found,
          options.yaml ? (each) => stringify(withoutDefaults(each)).trimEnd() : segmentText,
        );
      }),
    );

  segment
    .command('remove')
    .description('Remove a segment: its edges stop serving it.')
    .argument('<name>')
    .action((name: string, _options: unknown, command: Command) =>
      inSession(command, async ({ output, signal, client }) => {
        await client().call(endpoints.removeSegment, { params: { name } }, { signal });
        output.result({ removed: name }, () => `Removed segment ${name}`);
      }),
    );
}
