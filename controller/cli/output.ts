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
    process.stdout.write(`${this.json ? JSON.stringify(value) : human(value)}\n`);
  }

  problem(error: Problem): void {
    if (this.json) process.stderr.write(`${JSON.stringify({ error: error.toBody() })}\n`);
    else process.stderr.write(`${problemText(error)}\n`);
  }
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
  return known.map(([name, value]) => `${`${name}:`.padEnd(width)} ${value}`).join('\n');
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
