import type { ControllerClient } from '@bootswarm/controller/client';
import {
  endpoints,
  isPowerBusy,
  type Machine,
  PowerAction,
  type PowerOrder,
} from '@bootswarm/controller/contract';
import { Problem } from '@bootswarm/images/format';
import type { Command } from 'commander';
import { listMachines } from './machine-list.ts';
import { type Output, tableText } from './output.ts';
import { problem } from './problems.ts';
import type { Progress } from './progress.ts';
import { inSession } from './session.ts';

/** Of one call; the next goes on with the wait. */
const WAIT_SECONDS = 30;
/** Each call is a connection. */
const CALLS_AT_ONCE = 64;

const EXAMPLES = `
Examples:
  bootswarm machine power 52:54:00:12:34:56 status
  bootswarm machine power m-0f1e2d3c4b m-5a69788796 pxe --wait
  bootswarm machine power --match class=compute,label.rack=r7 --at-most 40 off
off is at once, without asking the system that runs. pxe starts the machine anew and boots from the network once.
Ctrl-C ends the watching; what was ordered goes on.`;

export function addMachinePower(machine: Command): void {
  machine
    .command('power')
    .summary('turn machines on and off')
    .description('Turns machines on and off, by their BMCs, and tells how they stand.')
    .argument('<machine...>', 'ids, UUIDs or MACs, and then: status, on, off, cycle, reset or pxe')
    .option('--match <selector>', "all that it means, as 'machine list' shows them; needs --at-most")
    .option('--at-most <n>', 'with --match: nothing is done where it means more than so many')
    .option('--wait', 'pxe: until an edge sees the machine boot')
    .addHelpText('after', EXAMPLES)
    .action((words: readonly string[], { wait = false, ...choice }: PowerOptions, command: Command) =>
      inSession(command, async ({ output, progress, signal, client }) => {
        const order = orderOf(words.at(-1) ?? '');
        const named = [...new Set(words.slice(0, -1))];
        const limit = limitOf(named, order, choice);
        const keys = limit === undefined ? named : await matching(client(), limit, signal);
        await powerAll({ client: client(), keys, order, wait, output, progress, signal });
      }),
    );

  machine
    .command('media')
    .summary('show a machine an image as a CD, by Redfish')
    .description('Lets a machine have an image as a CD, which its BMC fetches by itself, or takes it away.')
    .argument('<machine>', 'id, name, UUID or MAC')
    .argument('<action>', 'insert or eject')
    .argument('[image]', 'insert: an http or https URL')
    .addHelpText(
      'after',
      '\nExample:\n  bootswarm machine media 52:54:00:12:34:56 insert http://10.9.0.1/rescue.iso',
    )
    .action((key: string, action: string, image: string | undefined, _options: unknown, command: Command) =>
      inSession(command, async ({ output, progress, signal, client }) => {
        if (action !== 'insert' && action !== 'eject')
          throw problem('argument_invalid', {
            field: 'action',
            facts: { text: action, reason: 'is neither insert nor eject' },
          });
        const order: PowerOrder = image === undefined ? { action } : { action, image };
        await powerAll({ client: client(), keys: [key], order, wait: false, output, progress, signal });
      }),
    );
}

interface PowerOptions {
  readonly match?: string;
  readonly atMost?: string;
  readonly wait?: boolean;
}

interface Limit {
  readonly match: string;
  readonly most: number;
}

/** How many a selector may mean; undefined where machines are named. @throws Problem argument_invalid */
export function limitOf(
  named: readonly string[],
  { action }: PowerOrder,
  { match, atMost }: PowerOptions,
): Limit | undefined {
  const wrong = (field: string, text: string, reason: string): Error =>
    problem('argument_invalid', { field, facts: { text, reason } });
  if (match === undefined) {
    if (atMost !== undefined) throw wrong('--at-most', atMost, 'is for --match alone');
    if (named.length === 0) throw wrong('machine', action, 'needs a machine before it, or --match');
    return undefined;
  }
  if (named[0] !== undefined) throw wrong('machine', named[0], 'cannot stand beside --match');
  if (match.trim() === '') throw wrong('--match', match, 'is every machine there is: say which');
  if (atMost === undefined) throw wrong('--match', match, 'needs --at-most N: how many it may mean');
  if (!/^[1-9]\d{0,5}$/.test(atMost)) throw wrong('--at-most', atMost, 'is no number of machines');
  return { match, most: Number(atMost) };
}

/** Whoever mistypes a selector turns off no datacenter. @throws Problem power_match_none, power_match_beyond */
async function matching(
  client: ControllerClient,
  { match, most }: Limit,
  signal: AbortSignal,
): Promise<string[]> {
  const found = await listMachines(client, { match, limit: String(most + 1) }, signal);
  if (found.length === 0) throw problem('power_match_none', { field: '--match', facts: { match } });
  if (found.length > most) throw problem('power_match_beyond', { field: '--match', facts: { match, most } });
  return found.map(({ id }) => id);
}

interface Run {
  readonly client: ControllerClient;
  readonly keys: readonly string[];
  readonly order: PowerOrder;
  /** Also until an edge sees the machine boot. */
  readonly wait: boolean;
  readonly output: Output;
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

interface Ended {
  readonly machine: string;
  readonly power?: Machine['power'];
  readonly error?: Problem;
}

/** Each machine for itself: one that fails keeps nobody from the others. Sets the exit code. */
async function powerAll(run: Run): Promise<void> {
  const { keys, output, progress, signal, order } = run;
  const stage = `power ${order.action}`;
  const either = async <T>(key: string, call: () => Promise<T>): Promise<T | Ended> => {
    try {
      return await call();
    } catch (error) {
      if (signal.aborted || !(error instanceof Problem)) throw error;
      return { machine: key, error };
    }
  };
  // All are ordered before any is watched: one that takes long holds up nobody.
  const begun = await inTurn(keys, (key) => either(key, () => orderOne(run, key)));
  let over = 0;
  const ends = await inTurn(begun, async (each) => {
    const end = 'id' in each ? await either(each.id, () => watchOne(run, each)) : each;
    over += 1;
    // Of a single one, the end says it all.
    if (keys.length > 1)
      progress.show({ stage, fraction: over / keys.length, message: `${end.machine} ${endText(end)}` });
    return end;
  });
  progress.end();
  output.result(
    ends.map(({ error, ...end }) => (error ? { ...end, error: error.toBody() } : end)),
    () =>
      tableText(
        ['MACHINE', 'POWER', 'HOW IT WENT'],
        ends.map((end) => [end.machine, end.power?.seen ?? '-', endText(end)]),
      ),
  );
  for (const { error } of ends) if (error) output.problem(error);
  if (ends.some(({ error }) => error)) process.exitCode = 1;
}

/** What `job` makes of each item, in their order, some at once. */
async function inTurn<T, R>(items: readonly T[], job: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  const rest = items.entries();
  const work = async (): Promise<void> => {
    for (const [at, item] of rest) results[at] = await job(item);
  };
  await Promise.all(Array.from({ length: CALLS_AT_ONCE }, work));
  return results;
}

function orderOne({ client, order, signal }: Run, machine: string): Promise<Machine> {
  return client.call(endpoints.orderPower, { params: { machine }, body: order }, { signal });
}

async function watchOne({ client, order, wait, progress, signal }: Run, begun: Machine): Promise<Ended> {
  const params = { machine: begun.id };
  const number = begun.power?.number;
  let machine = begun;
  while (isPowerBusy(machine.power) || (wait && machine.power?.state === 'booting')) {
    if (machine.power?.number !== number) break;
    const { state, changes } = machine.power ?? {};
    progress.show({ stage: `power ${order.action}`, message: `${machine.id} ${state}` });
    const query = { after: changes ?? 0, waitSeconds: WAIT_SECONDS };
    machine = await client.call(endpoints.showPower, { params, query }, { signal });
  }
  const { power } = machine;
  const ended = { machine: machine.id, ...(power ? { power } : {}) };
  return power?.cause ? { ...ended, error: new Problem(power.cause, 502) } : ended;
}

function endText({ power, error }: Ended): string {
  if (error) return `failed: ${error.code}`;
  return power?.state === 'booting' ? 'on; no edge has seen it boot yet' : (power?.state ?? '-');
}

/** @throws Problem argument_invalid */
export function orderOf(text: string): PowerOrder {
  const action = PowerAction.exclude(['insert', 'eject']).safeParse(text);
  if (action.success) return { action: action.data };
  const reason = 'is no action; put status, on, off, cycle, reset or pxe behind the machines';
  throw problem('argument_invalid', { field: 'action', facts: { text, reason } });
}
