import { endpoints, type MachineReservation } from '@bootswarm/controller/contract';
import type { Command } from 'commander';
import { factsText, tableText } from './output.ts';
import { problem } from './problems.ts';
import { inSession } from './session.ts';

interface ReserveOptions {
  readonly count: string;
  readonly match: string;
  readonly for?: string;
  readonly owner?: string;
}

export function addReservation(program: Command, machine: Command): void {
  machine
    .command('reserve')
    .summary('set machines aside')
    .description('Sets machines aside under a name: as many as are asked for, or none and the reasons why.')
    .argument('<name>', 'of the reservation')
    .requiredOption('--count <n>', 'how many')
    .option('--match <selector>', 'of which', '')
    .option('--for <time>', 'such as 90m, 24h or 7d; without it, until it is ended')
    .option('--owner <name>', 'for whom')
    .addHelpText(
      'after',
      '\nExample:\n  bootswarm machine reserve load-test --count 20 --match class=compute,memory>=64G --for 24h',
    )
    .action((name: string, options: ReserveOptions, command: Command) =>
      inSession(command, async ({ output, signal, client }) => {
        const { count, match, owner } = options;
        const body = {
          name,
          count: Number(count),
          match,
          ...(owner === undefined ? {} : { owner }),
          ...(options.for === undefined ? {} : { hours: hoursOf(options.for) }),
        };
        const made = await client().call(endpoints.reserve, { body }, { signal });
        output.result(made, reservationText);
      }),
    );

  machine
    .command('unreserve')
    .summary('take a machine out of its reservation')
    .description('Takes a machine out of its reservation, which ends with its last.')
    .argument('<machine>', 'id, name, UUID or MAC')
    .action((key: string, _options: unknown, command: Command) =>
      inSession(command, async ({ output, signal, client }) => {
        const freed = await client().call(
          endpoints.unreserveMachine,
          { params: { machine: key } },
          { signal },
        );
        output.result(freed, ({ id }) => `Machine ${id} is in no reservation any more`);
      }),
    );

  const reservation = program.command('reservation').description('Machines that are set aside.');

  reservation
    .command('list')
    .description('List the reservations.')
    .action((_options: unknown, command: Command) =>
      inSession(command, async ({ output, signal, client }) => {
        const reservations = await client().reservations.list({}, { signal }).all();
        output.result(reservations, () =>
          tableText(
            ['RESERVATION', 'OWNER', 'MACHINES', 'SINCE', 'UNTIL', 'MATCH'],
            reservations.map((each) => [
              each.name,
              each.owner ?? '-',
              String(each.machines.length),
              each.since,
              each.until ?? '-',
              each.match || 'all machines',
            ]),
          ),
        );
      }),
    );

  reservation
    .command('show')
    .description('Show a reservation with its machines.')
    .argument('<name>')
    .action((name: string, _options: unknown, command: Command) =>
      inSession(command, async ({ output, signal, client }) => {
        const shown = await client().call(endpoints.showReservation, { params: { name } }, { signal });
        output.result(shown, reservationText);
      }),
    );

  reservation
    .command('end')
    .description('End a reservation: its machines are free again.')
    .argument('<name>')
    .action((name: string, _options: unknown, command: Command) =>
      inSession(command, async ({ output, signal, client }) => {
        const ended = await client().call(endpoints.endReservation, { params: { name } }, { signal });
        output.result(ended, ({ machines }) => `Ended reservation ${name} of ${machines.length} machines`);
      }),
    );
}

const UNIT_HOURS = { m: 1 / 60, h: 1, d: 24 } as const;

/** @throws Problem argument_invalid */
function hoursOf(text: string): number {
  const [, number, unit] = /^(\d{1,6})([mhd])$/.exec(text) ?? [];
  if (number !== undefined) return Number(number) * UNIT_HOURS[unit as keyof typeof UNIT_HOURS];
  throw problem('argument_invalid', {
    field: 'for',
    facts: { text, reason: 'is no time such as 90m, 24h or 7d' },
  });
}

function reservationText({ name, owner, machines, since, until, match }: MachineReservation): string {
  return factsText({
    reservation: name,
    owner,
    match: match || 'all machines',
    since,
    until: until ?? 'it is ended',
    machines: `${machines.length}: ${machines.join(' ')}`,
  });
}
