import {
  type BootTrace,
  type Client,
  type EdgeRecord,
  endpoints,
  type Machine,
  type MachineJournal,
  type TracedStage,
  traceBoot,
} from '@bootswarm/controller/contract';
import type { Command } from 'commander';
import { type Output, tableText } from './output.ts';
import { inSession } from './session.ts';

/** Exit code of a boot that stopped; 1 is for the command's own errors. */
const STOPPED = 3;
/** How soon silence is reckoned anew while a machine is followed. */
const FOLLOW_SECONDS = 5;

export function addTrace(program: Command): void {
  program
    .command('trace')
    .summary("tell a machine's last boot, and why it stopped")
    .description(
      "Tells a machine's last boot stage by stage, and where it stopped: the likely cause and what to do.\n" +
        `Ends with 0 where it booted or is under way, and with ${STOPPED} where it stopped.`,
    )
    .argument('<machine>', 'MAC, UUID or id')
    .option('--follow', 'tell the stages as they come, until it has booted or Ctrl-C')
    .action((key: string, { follow }: { readonly follow?: true }, command: Command) =>
      inSession(command, async ({ output, signal, client }) => {
        const trace = follow
          ? await followBoot(client(), key, output, signal)
          : await tellBoot(client(), key, output, signal);
        if (trace?.outcome === 'stopped') process.exitCode = STOPPED;
      }),
    );
}

async function tellBoot(
  client: Client,
  key: string,
  output: Output,
  signal: AbortSignal,
): Promise<BootTrace> {
  const request = { params: { machine: key }, query: {} };
  const { machine, records, now } = await client.call(endpoints.machineJournal, request, { signal });
  const trace = traceBoot(records, now);
  output.result({ ...(machine ? { machine } : {}), ...trace }, () => traceText(key, machine, trace));
  return trace;
}

/** @returns the trace at the end; undefined where it was interrupted before anything was known. */
async function followBoot(
  client: Client,
  key: string,
  output: Output,
  signal: AbortSignal,
): Promise<BootTrace | undefined> {
  const records: EdgeRecord[] = [];
  const teller = new Teller(output);
  let trace: BootTrace | undefined;
  let [cursor, waitSeconds] = [0, 0];
  while (!signal.aborted && trace?.outcome !== 'booted') {
    const request = { params: { machine: key }, query: { after: cursor, waitSeconds } };
    const news = await untilInterrupted(client.call(endpoints.machineJournal, request, { signal }), signal);
    if (!news) return trace;
    records.push(...news.records);
    [cursor, waitSeconds] = [news.cursor, FOLLOW_SECONDS];
    trace = traceBoot(records, news.now);
    teller.tell(trace);
  }
  return trace;
}

/** Ctrl-C is how a person ends what follows: no error. */
async function untilInterrupted(
  call: Promise<MachineJournal>,
  signal: AbortSignal,
): Promise<MachineJournal | undefined> {
  try {
    return await call;
  } catch (error) {
    if (signal.aborted) return undefined;
    throw error;
  }
}

/** Tells of a boot that is followed what it has not told yet. */
class Teller {
  readonly #output: Output;
  readonly #told = new Set<string>();
  #lastWord = '';

  constructor(output: Output) {
    this.#output = output;
  }

  tell(trace: BootTrace): void {
    for (const stage of trace.stages.filter(({ at }) => at !== undefined)) {
      const line = JSON.stringify(stage.state === 'overcome' ? { ...stage, state: 'stopped' } : stage);
      if (this.#told.has(line)) continue;
      this.#told.add(line);
      this.#output.result(stage, followedText);
    }
    const { outcome, verdict } = trace;
    const word = `${outcome} ${verdict?.stoppedAt} ${verdict?.cause}`;
    if (word === this.#lastWord || outcome === 'under way') return;
    this.#lastWord = word;
    this.#output.result({ outcome, ...(verdict ? { verdict } : {}) }, () => outcomeText(trace));
  }
}

function followedText(stage: TracedStage): string {
  return `${timeOf(stage)}  ${stage.stage.padEnd(9)}  ${whereOf(stage)}  ${whatOf(stage)}`;
}

function traceText(key: string, machine: Machine | undefined, trace: BootTrace): string {
  const who = machine ? `Machine ${machine.id}, ${machine.macs.join(' ')}` : `No machine ${key} is known`;
  const rows = trace.stages.map((stage) => [
    timeOf(stage),
    stage.stage,
    stage.state,
    whereOf(stage),
    whatOf(stage),
  ]);
  const table = tableText(['TIME', 'STAGE', 'STATE', 'WHERE', 'WHAT HAPPENED'], rows);
  return `${who}\n\n${table}\n\n${outcomeText(trace)}`;
}

function outcomeText({ outcome, verdict, stages }: BootTrace): string {
  if (verdict)
    return [
      `Stopped at ${verdict.stoppedAt}: ${verdict.meaning} (${verdict.cause})`,
      `What to do: ${verdict.remedy}`,
      `Seen: ${verdict.evidence}`,
    ].join('\n');
  if (outcome === 'booted') return 'It got all that it asked for.';
  const waiting = stages.find(({ state }) => state === 'waiting');
  return waiting ? `Under way: ${waiting.stage} is to come.` : 'Under way.';
}

function timeOf({ at }: TracedStage): string {
  return at ?? '-';
}

function whereOf({ edge, segment, address }: TracedStage): string {
  return [edge, segment, address].filter((each) => each !== undefined).join(' ') || '-';
}

function whatOf({ detail, cause, times }: TracedStage): string {
  const why = cause === undefined ? '' : ` [${cause}]`;
  const often = times === undefined ? '' : ` (${times} times more)`;
  return `${detail}${why}${often}`;
}
