/** `leases`: what an edge knows of its leases, while it runs or not; and, while it does not, leases from elsewhere. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ipv4ToNumber, Mac, Name, Uuid } from '@bootswarm/controller/contract';
import { Problem } from '@bootswarm/images/format';
import { Command, Option } from 'commander';
import type { Lease } from './decide/lease.ts';
import { FORMAT_NAMES, FORMATS, type FormatName, formatOf } from './leases/formats.ts';
import { endText, factsOf, type Wrong } from './leases/lease-file.ts';
import { type Conflict, type ImportPlan, placeLeases, planImport } from './leases/plan-import.ts';
import { type ToldChange, tellHistory } from './leases/tell-history.ts';
import { problem } from './problems.ts';
import { EdgeStore } from './state/edge-store.ts';
import { holdFolder } from './state/hold-folder.ts';
import { type KeptLeases, LeaseStore } from './state/lease-store.ts';

interface Options {
  readonly data: string;
  readonly json?: true;
  readonly format?: FormatName;
}

/** @param argv what follows the word `leases`. Sets the exit code; a problem goes to standard error. */
export async function runLeases(argv: readonly string[]): Promise<void> {
  // `leases list | head` closes the pipe early: no error of ours.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit();
  });
  await leasesCommand().parseAsync(argv, { from: 'user' });
}

function leasesCommand(): Command {
  const leases = new Command('bootswarm-edge leases').description(
    'The leases of an edge, and their history.',
  );
  const data = ['--data <folder>', "the edge's data folder", '/var/lib/bootswarm/edge'] as const;
  const json = ['--json', 'print the result and errors as JSON'] as const;
  const format = (usual: string) => new Option('--format <name>', usual).choices(FORMAT_NAMES);

  leases
    .command('list')
    .description('List every lease, live or ended.')
    .option(...data)
    .option(...json)
    .action(answering(list));
  leases
    .command('history')
    .description('Who had which address, and when; the newest last.')
    .argument('[address|mac|uuid]')
    .option('--limit <number>', 'at most so many, the newest', '100')
    .option(...data)
    .option(...json)
    .action((asked: string | undefined, options: Options & { limit: string }) =>
      answering((each: typeof options) => history(asked, each))(options),
    );
  leases
    .command('export')
    .description('Write the leases as text. The edge may run meanwhile.')
    .addOption(format('of the text').default('json'))
    .option('--out <file>', 'instead of standard output')
    .option(...data)
    .action(answering(exportLeases));
  leases
    .command('import')
    .description('Take leases over from a file, all or none. The edge must be stopped.')
    .argument('<file>')
    .addOption(format('of the file (default: by its name; isc: the dhcpd.leases of ISC dhcpd)'))
    .option(
      '--segment <name>',
      'whose leases they are (default: as the file says, or by the subnets of this edge)',
    )
    .option('--dry-run', 'only say what would be done; the edge may run meanwhile')
    .option('--force', 'let the file win where another machine has a live lease here')
    .option(...data)
    .option(...json)
    .action((file: string, options: ImportOptions) =>
      answering((each: ImportOptions) => importLeases(file, each))(options),
    );
  return leases;
}

/** Prints what comes of a command. */
function answering<O extends Options>(run: (options: O) => Promise<string>): (options: O) => Promise<void> {
  return async (options) => {
    try {
      process.stdout.write(await run(options));
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      const { message, remedy } = error;
      const text = options.json
        ? JSON.stringify({ error: error.toBody() })
        : `error: ${message}\n  what to do: ${remedy}`;
      process.stderr.write(`${text}\n`);
      process.exitCode = 1;
    }
  };
}

/** @throws Problem leases_missing */
async function keptIn(data: string): Promise<KeptLeases> {
  const kept = await LeaseStore.read(leaseFolderOf(data));
  if (!kept) throw problem('leases_missing', { facts: { folder: data } });
  return {
    ...kept,
    leases: kept.leases.toSorted((a, b) => ipv4ToNumber(a.address) - ipv4ToNumber(b.address)),
  };
}

async function list({ data, json }: Options): Promise<string> {
  const { leases } = await keptIn(data);
  if (json) return `${JSON.stringify(leases.map(factsOf))}\n`;
  const nowMs = Date.now();
  return table(
    ['ADDRESS', 'MAC', 'SEGMENT', 'STATE', 'UNTIL', 'UUID'],
    leases.map((lease) => [
      lease.address,
      lease.mac,
      lease.segment,
      lease.state === 'bound' && lease.expiresAtMs <= nowMs ? 'ended' : lease.state,
      endText(lease.expiresAtMs),
      lease.uuid ?? '-',
    ]),
  );
}

async function history(
  asked: string | undefined,
  { data, json, limit }: Options & { limit: string },
): Promise<string> {
  if (!/^[1-9]\d{0,6}$/.test(limit))
    throw wrongOption('--limit', limit, 'it must be a number from 1 to 9999999');
  const of = asked === undefined ? undefined : spellingOf(asked);
  const { leases, history: changes } = await keptIn(data);
  const told = tellHistory(changes, leases, { of, limit: Number(limit) });
  if (json) return `${JSON.stringify(told.map(changeJson))}\n`;
  return table(
    ['WHEN', 'ADDRESS', 'MAC', 'SEGMENT', 'WHAT', 'UNTIL', 'UUID'],
    told.map(({ atMs, address, mac, segment, what, untilMs, uuid }) => [
      endText(atMs),
      address,
      mac,
      segment,
      what,
      untilMs === undefined ? '-' : endText(untilMs),
      uuid ?? '-',
    ]),
  );
}

function changeJson({ atMs, untilMs, expiresAtMs: _, ...change }: ToldChange): object {
  return { at: endText(atMs), ...change, ...(untilMs === undefined ? {} : { until: endText(untilMs) }) };
}

/** An address, a MAC or a UUID as leases spell it. @throws Problem lease_holder_unclear */
function spellingOf(asked: string): string {
  if (/^\d+(\.\d+){3}$/.test(asked)) return asked;
  const known = Mac.or(Uuid).safeParse(asked);
  if (!known.success) throw problem('lease_holder_unclear', { facts: { asked } });
  return known.data;
}

async function exportLeases({
  data,
  format = 'json',
  out,
}: Options & { readonly out?: string }): Promise<string> {
  const { leases } = await keptIn(data);
  const text = FORMATS[format].render(leases);
  if (out === undefined) return text;
  await writeFile(out, text, { mode: 0o600 }).catch((error: unknown) => {
    throw unusable(out, 'written', error);
  });
  return `Wrote ${countOf(leases.length, 'lease')} to ${out}\n`;
}

interface ImportOptions extends Options {
  readonly segment?: string;
  readonly dryRun?: true;
  readonly force?: true;
}

async function importLeases(file: string, options: ImportOptions): Promise<string> {
  const { data, json } = options;
  const dryRun = options.dryRun === true;
  if (dryRun) {
    const kept = await LeaseStore.read(leaseFolderOf(data));
    const plan = await planFor(file, options, kept?.leases ?? []);
    return toldImport(plan, file, { dryRun, json });
  }
  const letGo = holdFolder(data);
  try {
    // The file is judged before anything is opened to be written.
    const kept = await LeaseStore.read(leaseFolderOf(data));
    const plan = await planFor(file, options, kept?.leases ?? []);
    if (plan.write.length > 0) {
      const store = LeaseStore.open(leaseFolderOf(data));
      try {
        store.writeAll(plan.write);
      } finally {
        await store.close();
      }
    }
    return toldImport(plan, file, { dryRun, json });
  } finally {
    letGo();
  }
}

/** @throws Problem lease_file_unreadable, lease_format_unknown, lease_file_wrong, leases_conflict */
async function planFor(
  file: string,
  { data, format = formatOf(file), segment: named, force }: ImportOptions,
  kept: readonly Lease[],
): Promise<ImportPlan> {
  if (named !== undefined && !Name.safeParse(named).success)
    throw wrongOption('--segment', named, 'it is no name of a segment');
  if (format === undefined)
    throw problem('lease_format_unknown', { facts: { file, formats: FORMAT_NAMES.join(', ') } });
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw unusable(file, 'read', error);
  });
  const reading = FORMATS[format].read(text);
  const state = await EdgeStore.readDesiredState(join(data, 'state'));
  const placed = placeLeases(reading.leases, { segments: state?.segments ?? [], named });
  const wrong = [...reading.wrong, ...placed.wrong];
  if (wrong.length > 0)
    throw problem('lease_file_wrong', { facts: { file, wrong: linesOf(wrong, wrongText) } });

  const here = new Map(kept.map((lease) => [lease.address, lease]));
  const plan = planImport(placed.leases, {
    at: (address) => here.get(address),
    nowMs: Date.now(),
    force: force === true,
  });
  const { conflicts } = plan;
  if (conflicts.length > 0 && !force)
    throw problem('leases_conflict', {
      facts: { file, count: conflicts.length, conflicts: linesOf(conflicts, conflictText) },
    });
  return plan;
}

function toldImport(
  { write, unchanged, stays, conflicts }: ImportPlan,
  file: string,
  { dryRun, json }: { readonly dryRun: boolean; readonly json: true | undefined },
): string {
  const facts = { dryRun, imported: write.length, unchanged, stays, forced: conflicts.length };
  if (json) return `${JSON.stringify(facts)}\n`;
  const done = `${dryRun ? 'Would import' : 'Imported'} ${countOf(write.length, 'lease')} from ${file}`;
  const others = [
    unchanged > 0 ? `${unchanged} were here already` : '',
    stays > 0 ? `${stays} are live here for longer and stay as they are` : '',
    conflicts.length > 0 ? `${conflicts.length} took the place of live ones` : '',
  ].filter((text) => text !== '');
  return `${[done, ...others].join('; ')}\n`;
}

function wrongText({ where, reason }: Wrong): string {
  return `${where}: ${reason}`;
}

function conflictText({ live, imported }: Conflict): string {
  const holder = ({ mac, state, expiresAtMs }: Lease): string =>
    `${state} to ${mac} until ${endText(expiresAtMs)}`;
  return `${live.address}: here ${holder(live)}, in the file ${holder(imported)}`;
}

/** The first of them: a file of another kind is wrong in every line. */
function linesOf<T>(all: readonly T[], textOf: (each: T) => string): string {
  const MOST = 20;
  const more = all.length > MOST ? [`and ${all.length - MOST} more`] : [];
  return [...all.slice(0, MOST).map(textOf), ...more].join('\n  ');
}

function leaseFolderOf(data: string): string {
  return join(data, 'leases');
}

function countOf(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

function wrongOption(option: string, value: string, reason: string): Problem {
  return problem('lease_option_wrong', { facts: { option, value, reason } });
}

function unusable(file: string, done: 'read' | 'written', error: unknown): Problem {
  const reason = error instanceof Error ? error.message : String(error);
  return problem('lease_file_unreadable', { facts: { file, done, reason }, cause: error });
}

/** Columns two blanks apart. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [head, ...rows];
  const widths = head.map((_, column) =>
    all.reduce((most, row) => Math.max(most, row[column]?.length ?? 0), 0),
  );
  const lines = all.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  '));
  return lines.map((line) => `${line.trimEnd()}\n`).join('');
}
