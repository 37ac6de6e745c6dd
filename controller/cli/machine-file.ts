import { readFile } from 'node:fs/promises';
import { isNode, isSeq, LineCounter, parseDocument } from 'yaml';
import { parseCsv } from './csv.ts';
import { problem } from './problems.ts';

/** A row of a file of machines, as the controller checks it. */
export interface MachineRow {
  readonly line: number;
  readonly machine: unknown;
}

const COLUMNS = ['mac', 'uuid', 'name', 'serial', 'segment', 'class', 'rack', 'position', 'architecture'];

/**
 * Reads a file of machines: CSV with a head (`mac`, several of them parted by blanks, and `label.NAME` beside the rest),
 * or YAML or JSON with a list, by itself or under `machines`. What each row says is for the controller to check.
 * @throws Problem machines_file_invalid, file_not_yaml
 */
export async function readMachineFile(file: string): Promise<readonly MachineRow[]> {
  const text = await readFile(file, 'utf8');
  const rows = /\.csv$/i.test(file) ? rowsOfCsv(file, text) : rowsOfYaml(file, text);
  if (rows.length === 0) throw invalid(file, 1, 'there is no machine in it');
  return rows;
}

function rowsOfCsv(file: string, text: string): readonly MachineRow[] {
  const parsed = parseCsv(text);
  if (!parsed.ok) throw invalid(file, parsed.line, parsed.reason);
  const [head, ...records] = parsed.records;
  if (!head) return [];
  const columns = head.cells.map((cell) => cell.toLowerCase());
  const unknown = columns.find((name) => !COLUMNS.includes(name) && !name.startsWith('label.'));
  if (unknown !== undefined)
    throw invalid(
      file,
      head.line,
      `there is no column '${unknown}': the first line names them, of ${COLUMNS.join(', ')} and label.NAME`,
    );
  const twice = columns.find((name, at) => columns.indexOf(name) < at);
  if (twice !== undefined) throw invalid(file, head.line, `column '${twice}' stands there twice`);
  return records.map(({ line, cells }) => {
    if (cells.length > columns.length)
      throw invalid(file, line, `has ${cells.length} cells, and the first line ${columns.length}`);
    return { line, machine: machineOf(columns, cells) };
  });
}

function machineOf(columns: readonly string[], cells: readonly string[]): object {
  const filled = columns.flatMap((name, at): [string, string][] => {
    const cell = cells[at];
    return cell === undefined || cell === '' ? [] : [[name, cell]];
  });
  const labels = filled
    .filter(([name]) => name.startsWith('label.'))
    .map(([name, value]) => [name.slice('label.'.length), value]);
  const own = filled.filter(([name]) => name !== 'mac' && !name.startsWith('label.'));
  const mac = filled.find(([name]) => name === 'mac')?.[1] ?? '';
  return {
    macs: macsIn(mac),
    ...Object.fromEntries(own),
    ...(labels.length > 0 ? { labels: Object.fromEntries(labels) } : {}),
  };
}

/** Parted by blanks, commas, semicolons or bars. */
export function macsIn(text: string): string[] {
  return text.split(/[\s,;|]+/).filter((mac) => mac !== '');
}

function rowsOfYaml(file: string, text: string): readonly MachineRow[] {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const [mistake] = document.errors;
  if (mistake) {
    const { line, col } = lines.linePos(mistake.pos[0]);
    throw problem('file_not_yaml', { facts: { file, line, column: col, reason: mistake.message } });
  }
  const list = isSeq(document.contents) ? document.contents : document.get('machines', true);
  if (!isSeq(list)) throw invalid(file, 1, "must be a list of machines, or have one under 'machines'");
  return list.items.map((item) => ({
    line: isNode(item) && item.range ? lines.linePos(item.range[0]).line : 1,
    machine: withMacs(isNode(item) ? item.toJS(document) : item),
  }));
}

/** `mac` is as good as `macs`. */
function withMacs(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || !('mac' in value) || 'macs' in value) return value;
  const { mac, ...rest } = value;
  return { macs: typeof mac === 'string' ? macsIn(mac) : mac, ...rest };
}

function invalid(file: string, line: number, reason: string): Error {
  return problem('machines_file_invalid', { facts: { file, line, reason } });
}
