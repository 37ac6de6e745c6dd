/**
 * `npm run interop`: firmware and clients that we did not write, against a live edge, behind both relay agents and
 * without one. Prints the matrix that the README shows.
 */
import { parseArgs } from 'node:util';
import { BOOTS, bootOnce } from './boots.ts';
import { fetchByHttp, fetchOnce, HTTP_ROW, TFTP_ROWS } from './fetchers.ts';
import { type Chain, Ground } from './ground.ts';
import { DHCP_ROWS, leaseOnce } from './leasers.ts';
import { type Cell, type CellName, COLUMNS, cellsToFill, markdownOf } from './matrix.ts';
import { SWARM_ROWS } from './swarm-pairs.ts';

/** Emulated machines take a core each. */
const MACHINES_AT_ONCE = 2;
const ROWS = [...BOOTS.map(({ row }) => row), ...DHCP_ROWS, ...TFTP_ROWS, HTTP_ROW, ...SWARM_ROWS];

const { values: options } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    only: { type: 'string', default: '' },
    help: { type: 'boolean', default: false },
  },
});
const wanted = cellsToFill(ROWS, options.only);
if (options.help || wanted.length === 0) {
  const rows = ROWS.map((row) => `  ${row}`).join('\n');
  process.stdout.write(
    [
      'Usage: npm run interop [-- --only TEXT] [--json]',
      'Fills the cells whose "ROW / COLUMN" holds the text; all of them take about 12 minutes.',
      `Columns: ${COLUMNS.join(', ')}. Rows:\n${rows}\n`,
    ].join('\n'),
  );
  process.exitCode = options.help ? 0 : 1;
} else {
  const cells = await fill(wanted);
  process.stdout.write(
    options.json ? `${JSON.stringify(cells, undefined, 2)}\n` : `\n${markdownOf(ROWS, cells)}\n`,
  );
  if (cells.some((cell) => !cell.ok)) process.exitCode = 1;
}

async function fill(names: readonly CellName[]): Promise<readonly Cell[]> {
  say(`${names.length} cells`);
  const chains = new Set<Chain>(BOOTS.filter(isWanted).map(({ chain }) => chain));
  const columns = COLUMNS.filter((column) => names.some((name) => name.column === column));
  await using ground = await Ground.lay([...chains], columns);
  say('the lab is laid and the edge has its release');
  const isBoot = ({ row }: CellName): boolean => BOOTS.some((boot) => boot.row === row);
  // Clients first, one by one, so that no emulation disturbs their times.
  const clients = await inLanes(
    1,
    names.filter((name) => !isBoot(name)),
    (name) => fillOne(ground, name),
  );
  const boots = await inLanes(MACHINES_AT_ONCE, names.filter(isBoot), (name) => fillOne(ground, name));
  return [...boots, ...clients];
}

function isWanted({ row }: { readonly row: string }): boolean {
  return wanted.some((name) => name.row === row);
}

async function fillOne(ground: Ground, { row, column }: CellName): Promise<Cell> {
  const startedAt = performance.now();
  const done = (ok: boolean, detail: string): Cell => {
    const seconds = Math.round((performance.now() - startedAt) / 100) / 10;
    say(`${ok ? 'ok    ' : 'FAILED'} ${seconds.toFixed(1).padStart(6)} s  ${row} / ${column}  ${detail}`);
    return { row, column, ok, seconds, detail };
  };
  try {
    return done(true, await runRow(ground, row, column));
  } catch (error) {
    return done(false, error instanceof Error ? error.message : String(error));
  }
}

function runRow(ground: Ground, row: string, column: CellName['column']): Promise<string> {
  const boot = BOOTS.find((each) => each.row === row);
  if (boot) return bootOnce(ground, boot, column);
  if (DHCP_ROWS.includes(row)) return leaseOnce(ground, row, column);
  if (TFTP_ROWS.includes(row)) return fetchOnce(ground, row, column);
  if (SWARM_ROWS.includes(row)) return shareOnce(ground, row, column);
  return fetchByHttp(ground, column);
}

async function shareOnce(ground: Ground, row: string, column: CellName['column']): Promise<string> {
  const pairs = await ground.swarmPairs(column);
  await pairs.run(row);
  return '';
}

/** Does `work` for each item, `lanes` at a time. @returns the results in the order of the items. */
async function inLanes<T, R>(
  lanes: number,
  items: readonly T[],
  work: (item: T) => Promise<R>,
): Promise<readonly R[]> {
  const results: R[] = [];
  const left = items.entries();
  const lane = async (): Promise<void> => {
    for (const [index, item] of left) results[index] = await work(item);
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  return results;
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}
