import { writeFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { Name } from '@bootswarm/controller/contract';
import type { Command } from 'commander';
import { stringify } from 'yaml';
import { appliedText, applyDocument } from './apply.ts';
import { notTakenText } from './dhcpd-conf/not-taken.ts';
import { readDhcpdConf } from './dhcpd-conf/read-file.ts';
import { type Translation, translate } from './dhcpd-conf/translate.ts';
import { problem } from './problems.ts';
import { withoutDefaults } from './segment-text.ts';
import { inSession } from './session.ts';

interface ImportOptions {
  readonly edge: readonly string[];
  readonly out?: string;
  readonly apply?: true;
}

export function addDhcpImport(dhcp: Command): void {
  dhcp
    .command('import')
    .summary("take over ISC dhcpd's configuration")
    .description(
      "Makes segments and a DHCP policy of ISC dhcpd's configuration, and names on standard error whatever is\n" +
        'not in them. They are printed as a file for segment apply, unless --apply or --out says otherwise.',
    )
    .argument('<dhcpd.conf>')
    .requiredOption('--edge <name...>', 'edges that serve its subnets')
    .option('--out <file>', 'write the file there')
    .option('--apply', 'make the controller hold them at once')
    .addHelpText('after', "\nThe leases are taken over on the edge: 'bootswarm-edge leases import'.")
    .action((file: string, options: ImportOptions, command: Command) =>
      inSession(command, async ({ output, signal, client }) => {
        const edges = options.edge.map(edgeOf);
        const read = await readDhcpdConf(file);
        const translated = translate(read.statements, edges);
        const { segments, policy } = translated;
        const notTaken = [...read.notTaken, ...translated.notTaken];
        if (!output.json && notTaken.length > 0) process.stderr.write(`${notTakenText(notTaken)}\n`);
        const text = fileText(file, translated);
        if (options.out !== undefined) await writeFile(options.out, text);
        if (options.apply) {
          const applied = await applyDocument(client(), { segments, policy }, { dryRun: false, signal });
          output.result({ applied, notTaken }, () => appliedText(applied, false));
        } else
          output.result({ segments, policy, notTaken }, () =>
            options.out === undefined
              ? text.trimEnd()
              : `Wrote ${segments.length} segments and ${policy.classes.length} classes to ${options.out}; then: bootswarm segment apply ${options.out}`,
          );
      }),
    );
}

/** @throws Problem argument_invalid */
function edgeOf(text: string): string {
  const parsed = Name.safeParse(text);
  if (parsed.success) return parsed.data;
  const reason = `is no name of an edge: ${parsed.error.issues[0]?.message}`;
  throw problem('argument_invalid', { field: 'edge', facts: { text, reason } });
}

function fileText(file: string, { segments, policy }: Translation): string {
  return `# Of ${basename(file)}, by 'bootswarm dhcp import'.\n${stringify({ policy, segments: segments.map(withoutDefaults) })}`;
}
