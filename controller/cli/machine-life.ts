import {
  endpoints,
  failureStory,
  lifeOf,
  type Machine,
  type MachineMove,
  MachineRelease,
  MachineStateChange,
} from '@bootswarm/controller/contract';
import type { Command } from 'commander';
import { tableText } from './output.ts';
import { problem } from './problems.ts';
import { inSession } from './session.ts';

const STATES = MachineStateChange.shape.to.options.join(', ');

/** `failed: no_first_boot` */
export function lifeText(machine: Machine): string {
  const { state, cause } = lifeOf(machine);
  return cause === undefined ? state : `${state}: ${cause}`;
}

/** What `show` tells of the state. */
export function lifeFacts(machine: Machine): Readonly<Record<string, string | undefined>> {
  const { state, stateSince, deadlineAt, installAt, cause } = lifeOf(machine);
  const { notInstalled } = machine;
  const since = stateSince === undefined ? '' : ` since ${stateSince}`;
  const story = cause && failureStory(cause);
  return {
    state: `${lifeText(machine)}${since}`,
    'fails at':
      deadlineAt === undefined ? undefined : `${deadlineAt}, unless something is heard of it before`,
    'installed at': installAt === undefined ? undefined : `${installAt}, as its segment says`,
    'not installed': state === 'available' ? notInstalled?.reason : undefined,
    'what it means': story?.meaning,
    'what to do': story?.remedy,
  };
}

export function addMachineLife(machine: Command): void {
  machine
    .command('state')
    .summary('say in which state a machine is')
    .description(
      `Says in which state a machine is: ${STATES}. What is armed for it is called off: it boots its disk.`,
    )
    .argument('<machine>', 'id, name, UUID or MAC')
    .requiredOption('--to <state>', STATES)
    .requiredOption('--reason <text>', 'kept in its history')
    .addHelpText(
      'after',
      '\nExample:\n  bootswarm machine state 52:54:00:12:34:56 --to active --reason "installed by hand"',
    )
    .action((key: string, { to: text, reason }: { to: string; reason: string }, command: Command) =>
      inSession(command, async ({ output, signal, client }) => {
        const to = MachineStateChange.shape.to.safeParse(text);
        if (!to.success)
          throw problem('argument_invalid', {
            field: '--to',
            facts: { text, reason: `is no state that can be said: one of ${STATES}` },
          });
        const request = { params: { machine: key }, body: { to: to.data, reason } };
        output.result(await client().call(endpoints.overrideState, request, { signal }), stateText);
      }),
    );

  machine
    .command('maintenance')
    .summary('take a machine into maintenance, or out of it')
    .description(
      'Takes a machine into maintenance, where nothing but an operator moves it and what was armed is called off; or out of it, to what it was.',
    )
    .argument('<machine>', 'id, name, UUID or MAC')
    .argument('<on|off>')
    .requiredOption('--reason <text>', 'kept in its history')
    .action((key: string, text: string, { reason }: { reason: string }, command: Command) =>
      inSession(command, async ({ output, signal, client }) => {
        if (text !== 'on' && text !== 'off')
          throw problem('argument_invalid', {
            field: 'on|off',
            facts: { text, reason: 'is neither on nor off' },
          });
        const request = { params: { machine: key }, body: { isOn: text === 'on', reason } };
        output.result(await client().call(endpoints.maintainMachine, request, { signal }), stateText);
      }),
    );

  machine
    .command('release')
    .summary('wipe a machine, so that it is available again')
    .description(
      'Arms a wipe of all disks of a machine, done once at its next boot. It is available once the wipe is verified.',
    )
    .argument('<machine>', 'id, name, UUID or MAC')
    .option('--method <method>', 'auto, discard, secure-erase or overwrite')
    .option('--reason <text>', 'kept in its history')
    .action((key: string, options: { method?: string; reason?: string }, command: Command) =>
      inSession(command, async ({ output, signal, client }) => {
        const method = MachineRelease.shape.method.safeParse(options.method);
        if (!method.success)
          throw problem('argument_invalid', {
            field: '--method',
            facts: {
              text: options.method ?? '',
              reason: 'is none of auto, discard, secure-erase and overwrite',
            },
          });
        const reason = options.reason === undefined ? {} : { reason: options.reason };
        const request = { params: { machine: key }, body: { method: method.data, ...reason } };
        const changed = await client().call(endpoints.releaseMachine, request, { signal });
        output.result(changed, () => `${stateText(changed)}; all its disks are wiped at its next boot`);
      }),
    );

  machine
    .command('history')
    .description('How a machine came to its state, newest first.')
    .argument('<machine>', 'id, name, UUID or MAC')
    .action((key: string, _options: unknown, command: Command) =>
      inSession(command, async ({ output, signal, client }) => {
        const moves = await client().call(endpoints.machineHistory, { params: { machine: key } }, { signal });
        output.result(moves, historyText);
      }),
    );
}

function stateText(machine: Machine): string {
  return `Machine ${machine.id} is ${lifeText(machine)}`;
}

function historyText(moves: readonly MachineMove[]): string {
  if (moves.length === 0) return 'Nothing has moved it yet.';
  return tableText(
    ['AT', 'FROM', 'TO', 'BY', 'CAUSE', 'WHY'],
    moves.map(({ at, from, to, by, cause, reason }) => [at, from, to, by, cause ?? '-', reason]),
  );
}
