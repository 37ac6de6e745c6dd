import type { ControllerClient } from '@bootswarm/controller/client';
import { EVENT_PAGE_MOST, type Event, type EventPage } from '@bootswarm/controller/contract';
import { type Command, InvalidArgumentError } from 'commander';
import { type Output, tableText } from './output.ts';
import { inSession, type Session } from './session.ts';

interface EventsOptions {
  readonly follow?: true;
  readonly kind?: string;
  readonly machine?: string;
  readonly since?: number;
  readonly limit: number;
}

const UNIT_MS = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

export function addEvents(program: Command): void {
  program
    .command('events')
    .summary('tell what happened at the controller, and who did it')
    .description('Tells what happened at the controller, in order, and who did it: the audit.')
    .option('--follow', 'go on telling, until Ctrl-C; goes on where it was when the controller is back')
    .option('--kind <kinds>', 'such as machine,edge.joined')
    .option('--machine <machine>', 'only of this one: id, name, UUID or MAC')
    .option('--since <time>', 'such as 1h, 2d or 2026-01-31T12:00:00.000Z', parseSince)
    .option('--limit <number>', 'at most so many, the oldest first', Number, 1000)
    .addHelpText('after', '\nExample:\n  bootswarm events --follow --kind machine,edge --since 1h')
    .action((options: EventsOptions, command: Command) =>
      inSession(command, (session) => (options.follow ? follow(session, options) : list(session, options))),
    );
}

async function list({ client, output, signal }: Session, options: EventsOptions): Promise<void> {
  const { limit } = options;
  const events: Event[] = [];
  for await (const page of pagesOf(client(), options, Math.min(limit, EVENT_PAGE_MOST), signal)) {
    events.push(...page.events);
    if (events.length >= limit) break;
  }
  const told = events.slice(0, limit);
  output.result(told, () => tableText(['NUMBER', 'TIME', 'KIND', 'OF', 'BY', 'WHAT'], told.map(rowOf)));
}

/**
 * JSON, one event a line, or plain lines: never a table, whose widths are not known yet. Ctrl-C is how a person ends it,
 * and no error.
 */
async function follow({ client, output, signal }: Session, options: EventsOptions): Promise<void> {
  const controller = client();
  let place: { readonly after?: number } = {};
  if (options.since !== undefined)
    for await (const { events, cursor } of pagesOf(controller, options, EVENT_PAGE_MOST, signal)) {
      for (const event of events) tell(event, output);
      place = { after: cursor };
    }
  const { since: _, ...selection } = selectionOf(options);
  for await (const event of controller.events.follow({ ...selection, ...place }, { signal }))
    tell(event, output);
}

/** What happened until now, page by page. */
async function* pagesOf(
  controller: ControllerClient,
  options: EventsOptions,
  limit: number,
  signal: AbortSignal,
): AsyncGenerator<EventPage, void> {
  for (let place: { readonly after?: number } = {}; ; ) {
    const page = await controller.events.page({ ...selectionOf(options), ...place, limit }, { signal });
    yield page;
    if (!page.more) return;
    place = { after: page.cursor };
  }
}

function selectionOf({ kind, machine, since }: EventsOptions) {
  return {
    ...(kind === undefined ? {} : { kind }),
    ...(machine === undefined ? {} : { machine }),
    ...(since === undefined ? {} : { since: new Date(since).toISOString() }),
  };
}

function tell(event: Event, output: Output): void {
  output.result(event, (each) => rowOf(each).join('  ').trimEnd());
}

function rowOf({ number, at, kind, subject, by, changed, records, detail }: Event): string[] {
  const what = [
    ...(detail === undefined ? [] : [detail]),
    ...(changed === undefined ? [] : [changed.join(', ')]),
    ...(records === undefined ? [] : [`${records.reduce((sum, { count }) => sum + count, 0)} records`]),
  ];
  return [String(number), at, kind, subject, [by.kind, by.name].filter(Boolean).join(' '), what.join('; ')];
}

function parseSince(text: string): number {
  const [, count, unit] = /^(\d{1,6})([smhd])$/.exec(text) ?? [];
  if (count !== undefined) return Date.now() - Number(count) * UNIT_MS[unit as keyof typeof UNIT_MS];
  const at = Date.parse(text);
  if (Number.isNaN(at)) throw new InvalidArgumentError('It must be such as 30m, 1h or 2d, or a time.');
  return at;
}
