/** A record of a CSV file (RFC 4180) that is not empty. */
interface CsvRecord {
  /** On which it begins, counted from one. */
  readonly line: number;
  readonly cells: readonly string[];
}

export type ParsedCsv =
  | { readonly ok: true; readonly records: readonly CsvRecord[] }
  | { readonly ok: false; readonly line: number; readonly reason: string };

/** Cells of a record that are read; nobody describes a machine by more. */
const CELLS_MOST = 256;

const BARE = /[^",\r\n]*/y;
const QUOTED = /"((?:[^"]|"")*)"/y;

/**
 * Reads CSV with commas; quotes may hold commas, line ends and doubled quotes. Blanks around a cell are not part of it
 * unless they are quoted, and lines without anything are passed over. Never throws.
 */
export function parseCsv(text: string): ParsedCsv {
  const records: CsvRecord[] = [];
  let at = text.startsWith('\uFEFF') ? 1 : 0;
  let line = 1;
  while (at < text.length) {
    const beganAt = line;
    const cells: string[] = [];
    for (;;) {
      const cell = readCell(text, at);
      if ('reason' in cell) return { ok: false, line, reason: cell.reason };
      cells.push(cell.text);
      if (cells.length > CELLS_MOST)
        return { ok: false, line, reason: `there are more than ${CELLS_MOST} cells in one row` };
      line += cell.lines;
      at = cell.end;
      if (text[at] !== ',') break;
      at += 1;
    }
    if (text.startsWith('\r\n', at)) at += 2;
    else if (at < text.length) at += 1;
    line += 1;
    if (cells.some((cell) => cell !== '')) records.push({ line: beganAt, cells });
  }
  return { ok: true, records };
}

type Cell =
  | { readonly text: string; readonly end: number; readonly lines: number }
  | { readonly reason: string };

function readCell(text: string, from: number): Cell {
  let at = from;
  while (text[at] === ' ' || text[at] === '\t') at += 1;
  QUOTED.lastIndex = at;
  const quoted = text[at] === '"' ? QUOTED.exec(text) : undefined;
  if (quoted === null) return { reason: 'a quote begins that does not end' };
  if (!quoted) {
    BARE.lastIndex = at;
    const bare = BARE.exec(text)?.[0] ?? '';
    if (text[at + bare.length] === '"')
      return {
        reason: `a quote stands inside '${bare.slice(0, 40)}': put the whole cell in quotes, and double it`,
      };
    return { text: bare.trim(), end: at + bare.length, lines: 0 };
  }
  let end = at + quoted[0].length;
  while (text[end] === ' ' || text[end] === '\t') end += 1;
  if (end < text.length && !',\r\n'.includes(text[end] ?? ''))
    return { reason: 'a comma or the end of the line must come behind a quoted cell' };
  const value = (quoted[1] ?? '').replaceAll('""', '"');
  return { text: value, end, lines: value.split(/\r\n|\r|\n/).length - 1 };
}
