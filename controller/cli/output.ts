import type { Problem } from '@bootswarm/images/format';
import Table from 'cli-table3';

/** How results reach the operator: tables and sentences, or JSON lines on standard output. */
export class Output {
  readonly json: boolean;

  constructor(json: boolean) {
    this.json = json;
  }

  /** A result: `value` as JSON, or what `human` makes of it. */
  result<T>(value: T, human: (value: T) => string): void {
    process.stdout.write(`${this.json ? harmlessJson(value) : harmless(human(value))}\n`);
  }

  problem(error: Problem): void {
    if (this.json) process.stderr.write(`${harmlessJson({ error: error.toBody() })}\n`);
    else process.stderr.write(`${harmless(problemText(error))}\n`);
  }
}

/** What moves a cursor, rings a bell, sets colours or turns the direction of text. */
const COMMANDS = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/** Texts of switches, firmware and machines are anybody's: what would command a terminal is shown as what it is. */
function harmless(text: string): string {
  return text.replace(COMMANDS, (sign) => (sign === '\n' ? sign : escaped(sign)));
}

/** The same value, with what would command a terminal in JSON's own spelling. */
function harmlessJson(value: unknown): string {
  return JSON.stringify(value).replace(COMMANDS, escaped);
}

function escaped(sign: string): string {
  return Array.from(
    { length: sign.length },
    (_, at) => `\\u${sign.charCodeAt(at).toString(16).padStart(4, '0')}`,
  ).join('');
}

function problemText(error: Problem): string {
  const where = error.field === undefined ? '' : `${error.field}: `;
  return `error: ${where}${error.message}\n  what to do: ${error.remedy}`;
}

/** Rows under heads, without lines: easy to read, cut and grep. */
export function tableText(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const nothing = '';
  const table = new Table({
    head: [...head],
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 2 },
    chars: Object.fromEntries(
      [
        'top',
        'top-mid',
        'top-left',
        'top-right',
        'bottom',
        'bottom-mid',
        'bottom-left',
        'bottom-right',
        'left',
        'left-mid',
        'mid',
        'mid-mid',
        'right',
        'right-mid',
        'middle',
      ].map((name) => [name, nothing]),
    ),
  });
  table.push(...rows.map((row) => [...row]));
  return table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}

/** `name: value` lines of one thing. */
export function factsText(facts: Readonly<Record<string, string | number | undefined>>): string {
  const known = Object.entries(facts).filter(([, value]) => value !== undefined);
  const width = Math.max(...known.map(([name]) => name.length)) + 1;
  // A line end in a value would make a line that looks as if it were ours.
  return known
    .map(([name, value]) => `${`${name}:`.padEnd(width)} ${String(value).replaceAll('\n', '\\n')}`)
    .join('\n');
}

/** 1234567 to `1.2 MB`: powers of 1000, as disks and networks are sold. */
export function bytesText(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${value < 10 && unit > 0 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`;
}
