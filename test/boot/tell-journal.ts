import type { Process } from '../lab/index.ts';
import type { StageReport } from './stages.ts';

/** What an edge logs beside its journal of work on disks. */
const WORK = /^(work on disks|an installed system) /;

/**
 * Tells what the edge says of machines, as it says it, until the edge ends.
 * @param names by MAC.
 */
export async function tellJournal(
  edge: Process,
  names: ReadonlyMap<string, string>,
  report: StageReport,
): Promise<void> {
  for await (const line of edge.lines) {
    const told = readLine(line);
    const machine = names.get(told?.mac ?? '');
    if (told === undefined || machine === undefined) continue;
    const { msg, stage = '', detail = '' } = told;
    if (msg === 'journal') report.tell({ stage, machine, detail });
    else if (WORK.test(msg)) report.tell({ stage: 'edge', machine, detail: msg });
  }
}

interface EdgeLine {
  readonly msg: string;
  readonly mac?: string;
  readonly stage?: string;
  readonly detail?: string;
}

/** undefined for what is no line of its log. */
function readLine(line: string): EdgeLine | undefined {
  return line.startsWith('{') ? (JSON.parse(line) as EdgeLine) : undefined;
}
