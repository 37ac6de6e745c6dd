/** Where a machine or client sits: behind which relay agent, or in a segment with the edge. */
export const COLUMNS = ['dhcrelay', 'dnsmasq', 'direct'] as const;
export type Column = (typeof COLUMNS)[number];

const TITLES: Readonly<Record<Column, string>> = {
  dhcrelay: 'behind `dhcrelay`',
  dnsmasq: 'behind `dnsmasq --dhcp-relay`',
  direct: 'direct',
};

export interface CellName {
  readonly row: string;
  readonly column: Column;
}

/** What happened. `detail` is a few words, or the cause of a failure. */
export interface Cell extends CellName {
  readonly ok: boolean;
  readonly seconds: number;
  readonly detail: string;
}

/**
 * The cells to fill.
 * @param only picks those whose `ROW / COLUMN` holds the text, whatever the case.
 */
export function cellsToFill(rows: readonly string[], only = ''): readonly CellName[] {
  return rows
    .flatMap((row) => COLUMNS.map((column) => ({ row, column })))
    .filter(({ row, column }) => `${row} / ${column}`.toLowerCase().includes(only.toLowerCase()));
}

/** The matrix as a table of Markdown, rows in the order of `rows`; a cell that was not asked for is empty. */
export function markdownOf(rows: readonly string[], cells: readonly Cell[]): string {
  const columns = COLUMNS.filter((column) => cells.some((cell) => cell.column === column));
  const lines = rows
    .filter((row) => cells.some((cell) => cell.row === row))
    .map((row) => {
      const texts = columns.map((column) =>
        textOf(cells.find((cell) => cell.row === row && cell.column === column)),
      );
      return `| ${[row, ...texts].join(' | ')} |`;
    });
  const head = [
    `| | ${columns.map((column) => TITLES[column]).join(' | ')} |`,
    `|---|${columns.map(() => '---|').join('')}`,
  ];
  return [...head, ...lines].join('\n');
}

function textOf(cell: Cell | undefined): string {
  if (!cell) return '';
  const seconds = cell.seconds < 10 ? cell.seconds.toFixed(1) : cell.seconds.toFixed(0);
  const detail = cell.detail.replace(/\s+/g, ' ').replaceAll('|', '\\|');
  return cell.ok ? `${seconds} s${detail && `, ${detail}`}` : `**failed**: ${detail}`;
}
