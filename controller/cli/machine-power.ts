import {
  type Client,
  endpoints,
  isPowerBusy,
  type Machine,
  PowerAction,
  type PowerOrder,
} from '@bootswarm/controller/contract';
import { Problem } from '@bootswarm/images/format';
import type { Command } from 'commander';
import { type Output, tableText } from './output.ts';
import { problem } from './problems.ts';
import type { Progress } from './progress.ts';
import { inSession } from './session.ts';

/** Of one call; the next goes on with the wait. */
const WAIT_SECONDS = 30;

const EXAMPLES = `
Examples:
  bootswarm machine power 52:54:00:12:34:56 status
  bootswarm machine power m-0f1e2d3c4b m-5a69788796 pxe --wait
off is at once, without asking the system that runs. pxe starts the machine anew and boots from the network once.
Ctrl-C ends the watching; what was ordered goes on.`;

export function addMachinePower(machine: Command): void {
  machine
    .command('power')
    .summary('turn machines on and off')
    .description('Turns machines on and off, by their BMCs, and tells how they stand.')
    .argument('<machine...>', 'ids, UUIDs or MACs, and then: status, on, off, cycle, reset or pxe')
    .option('--wait', 'pxe: until an edge sees the machine boot')
    .addHelpText('after', EXAMPLES)
    .action((words: readonly string[], { wait = false }: { readonly wait?: boolean }, command: Command) =>
      inSession(command, async ({ output, progress, signal, client }) => {
        const order = orderOf(words.at(-1) ?? '');
        const keys = [...new Set(words.slice(0, -1))];
        if (keys.length === 0)
          throw problem('argument_invalid', {
            field: 'machine',
            facts: { text: order.action, reason: 'needs a machine before it' },
          });
        await powerAll({ client: client(), keys, order, wait, output, progress, signal });
      }),
    );

  machine
    .command('media')
    .summary('show a machine an image as a CD, by Redfish')
    .description('Lets a machine have an image as a CD, which its BMC fetches by itself, or takes it away.')
    .argument('<machine>', 'id, UUID or MAC')
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

interface Run {
  readonly client: Client;
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
  let over = 0;
  const ends = await Promise.all(
    keys.map(async (key) => {
      const end = await powerOne(run, key).catch((error: unknown): Ended => {
        if (signal.aborted || !(error instanceof Problem)) throw error;
        return { machine: key, error };
      });
      over += 1;
      progress.show({
        stage: `power ${order.action}`,
        fraction: over / keys.length,
        message: `${key} ${endText(end)}`,
      });
      return end;
    }),
  );
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

async function powerOne({ client, order, wait, progress, signal }: Run, key: string): Promise<Ended> {
  const params = { machine: key };
  let machine = await client.call(endpoints.orderPower, { params, body: order }, { signal });
  const number = machine.power?.number;
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
function orderOf(text: string): PowerOrder {
  const action = PowerAction.exclude(['insert', 'eject']).safeParse(text);
  if (action.success) return { action: action.data };
  const reason = 'is no action; put status, on, off, cycle, reset or pxe behind the machines';
  throw problem('argument_invalid', { field: 'action', facts: { text, reason } });
}
