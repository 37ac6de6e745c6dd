import {
  type Edge,
  type EdgeSettings,
  endpoints,
  Name,
  parseRate,
  RateSchedule,
  rateText,
} from '@bootswarm/controller/contract';
import type { Command } from 'commander';
import { problem } from './problems.ts';
import { inSession } from './session.ts';

interface SetOptions {
  /** False where it is to be taken away. */
  readonly site?: string | false;
  readonly rate?: string | false;
  readonly rateWindow?: readonly string[];
  readonly timeZone?: string;
}

const EXAMPLES = `
Edges of one site fetch what is outside through one of them. What passes the border of a site obeys the least cap of its
edges. Rates are written as bit, kbit, Mbit or Gbit a second; a window may be "unlimited".

Examples:
  bootswarm edge set edge1 --site berlin
  bootswarm edge set edge1 --rate 200Mbit --rate-window 22:00-06:00=1Gbit --time-zone Europe/Berlin
  bootswarm edge set edge1 --no-rate`;

/** `edge set`: where an edge stands, and how fast it may fetch. */
export function addEdgeSet(edge: Command): void {
  edge
    .command('set')
    .summary('set the site of an edge, and how fast it may fetch')
    .description('Sets the site of an edge, and how fast images may come to it and leave it across the site.')
    .argument('<name>')
    .option('--site <site>', 'where it stands')
    .option('--no-site', 'it is a site of its own')
    .option('--rate <rate>', 'such as 200Mbit')
    .option('--no-rate', 'no cap at any time')
    .option('--rate-window <from-to=rate...>', 'another cap at a time of the day; the first that fits counts')
    .option('--time-zone <zone>', "of the windows' times; UTC where it is left out")
    .addHelpText('after', EXAMPLES)
    .action((name: string, options: SetOptions, command: Command) =>
      inSession(command, async ({ output, signal, client }) => {
        const body = settingsOf(options);
        const changed = await client().call(endpoints.changeEdge, { params: { name }, body }, { signal });
        output.result(changed, (edge) => `Edge ${edge.name}: ${settingsText(edge)}`);
      }),
    );
}

/** @throws Problem argument_invalid */
export function settingsOf({ site, rate, rateWindow = [], timeZone }: SetOptions): EdgeSettings {
  if (site && !Name.safeParse(site).success)
    throw invalid('site', site, 'is no name of a site: a-z 0-9 and - alone');
  const settings: EdgeSettings = site === undefined ? {} : { site: site === false ? null : site };
  if (rate === false) return { ...settings, rate: null };
  if (rate === undefined && rateWindow.length === 0) {
    if (timeZone !== undefined) throw invalid('time-zone', timeZone, 'needs --rate-window beside it');
    return settings;
  }
  const schedule = RateSchedule.safeParse({
    ...(rate === undefined ? {} : { bytesPerSecond: bytesOf('rate', rate) }),
    ...(timeZone === undefined ? {} : { timeZone }),
    windows: rateWindow.map(windowOf),
  });
  if (schedule.success) return { ...settings, rate: schedule.data };
  const [issue] = schedule.error.issues;
  const field = issue?.path[0] === 'timeZone' ? 'time-zone' : 'rate-window';
  throw invalid(field, timeZone ?? rateWindow.join(' '), issue?.message ?? 'is no schedule');
}

export function settingsText({ site, rate }: Pick<Edge, 'site' | 'rate'>): string {
  return `site ${site ?? 'of its own'}, ${rate ? scheduleText(rate) : 'no cap'}`;
}

export function scheduleText({ bytesPerSecond, windows, timeZone }: RateSchedule): string {
  const cap = (bytes: number | undefined): string => (bytes === undefined ? 'no cap' : rateText(bytes));
  const times = windows.map(({ from, to, bytesPerSecond: bytes }) => `${from}-${to} ${cap(bytes)}`);
  return [cap(bytesPerSecond), ...times, ...(times.length > 0 ? [timeZone] : [])].join(', ');
}

/** `22:00-06:00=1Gbit`. The times are checked by the contract. */
function windowOf(text: string): unknown {
  const [, from, to, rate = ''] = /^([^-=]+)-([^-=]+)=(.+)$/.exec(text) ?? [];
  if (from === undefined)
    throw invalid('rate-window', text, 'is no window FROM-TO=RATE such as 22:00-06:00=1Gbit');
  return rate === 'unlimited' ? { from, to } : { from, to, bytesPerSecond: bytesOf('rate-window', rate) };
}

function bytesOf(field: string, text: string): number {
  const bytes = parseRate(text);
  if (bytes === undefined) throw invalid(field, text, 'is no rate such as 200Mbit');
  return bytes;
}

function invalid(field: string, text: string, reason: string): Error {
  return problem('argument_invalid', { field, facts: { text, reason } });
}
