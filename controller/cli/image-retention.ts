import { endpoints, type Retention, type RetentionRule } from '@bootswarm/controller/contract';
import { ReleaseName, releaseId } from '@bootswarm/images/format';
import { type Command, InvalidArgumentError } from 'commander';
import { tableText } from './output.ts';
import { problem } from './problems.ts';
import { parseRelease } from './references.ts';
import { inSession } from './session.ts';

/** `image retention`, `image pin` and `image unpin`: which releases stay. */
export function addRetention(image: Command): void {
  const retention = image.command('retention').description('Which releases stay though nothing names them.');

  retention
    .command('show')
    .description('Show how many releases of each series stay.')
    .action((_options: unknown, command: Command) =>
      inSession(command, async ({ output, signal, client }) => {
        output.result(await client().call(endpoints.showRetention, {}, { signal }), retentionText);
      }),
    );

  retention
    .command('set')
    .summary('say which releases stay')
    .description(
      "Says which releases stay though nothing names them: of each architecture the newest so many, and beside them those of the last so many days. 'image gc' removes the others.",
    )
    .argument(
      '[series]',
      'for this series alone, such as minimal (default: for all without a rule of their own)',
    )
    .requiredOption('--keep <number>', 'the newest so many', parseCount)
    .option('--days <number>', 'and those that were published in the last so many days', parseCount)
    .addHelpText('after', '\nExample:\n  bootswarm image retention set minimal --keep 5 --days 30')
    .action((series: string | undefined, { keep, days }: RetentionRule, command: Command) =>
      inSession(command, async ({ output, signal, client }) => {
        const rule = { keep, ...(days === undefined ? {} : { days }) };
        const controller = client();
        const held = await controller.call(endpoints.showRetention, {}, { signal });
        const body: Retention =
          series === undefined
            ? { ...held, everywhere: rule }
            : { ...held, series: { ...held.series, [parseSeries(series)]: rule } };
        output.result(await controller.call(endpoints.replaceRetention, { body }, { signal }), retentionText);
      }),
    );

  retention
    .command('unset')
    .description('Take a rule away: without any, every release stays.')
    .argument('[series]', 'the rule of this series (default: the one for all)')
    .action((series: string | undefined, _options: unknown, command: Command) =>
      inSession(command, async ({ output, signal, client }) => {
        const controller = client();
        const { everywhere, series: rules } = await controller.call(endpoints.showRetention, {}, { signal });
        const { [series ?? '']: _, ...others } = rules;
        const body: Retention =
          series === undefined ? { series: rules } : { series: others, ...(everywhere && { everywhere }) };
        output.result(await controller.call(endpoints.replaceRetention, { body }, { signal }), retentionText);
      }),
    );

  addPin(image, 'pin', 'Keep a release whatever retention says.');
  addPin(image, 'unpin', 'Leave a release to retention again.');
}

function addPin(image: Command, verb: 'pin' | 'unpin', description: string): void {
  image
    .command(verb)
    .description(description)
    .argument('<release>', 'NAME/VERSION/ARCHITECTURE')
    .action((text: string, _options: unknown, command: Command) =>
      inSession(command, async ({ output, signal, client }) => {
        const endpoint = verb === 'pin' ? endpoints.pinRelease : endpoints.unpinRelease;
        const release = await client().call(endpoint, { params: parseRelease(text) }, { signal });
        output.result(release, ({ manifest }) =>
          verb === 'pin' ? `${releaseId(manifest)} stays` : `${releaseId(manifest)} is no longer pinned`,
        );
      }),
    );
}

function retentionText({ everywhere, series }: Retention): string {
  const rows = Object.entries(series).map(([name, rule]) => [name, ...ruleTexts(rule)]);
  return tableText(['SERIES', 'KEEPS', 'DAYS'], [...rows, ['all others', ...ruleTexts(everywhere)]]);
}

function ruleTexts(rule: RetentionRule | undefined): string[] {
  return rule === undefined ? ['every release', '-'] : [`the newest ${rule.keep}`, String(rule.days ?? '-')];
}

function parseSeries(text: string): string {
  const parsed = ReleaseName.safeParse(text);
  if (parsed.success) return parsed.data;
  const reason = `is no name of a series: it ${parsed.error.issues[0]?.message}`;
  throw problem('argument_invalid', { field: 'series', facts: { text, reason } });
}

function parseCount(text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1) return value;
  throw new InvalidArgumentError('It must be a whole number from 1 on.');
}
