import { endpoints, type Rollout } from '@bootswarm/controller/contract';
import type { Command } from 'commander';
import { bytesText, tableText } from './output.ts';
import { followRollout } from './rollout-follow.ts';
import { addOrderOptions, type OrderOptions, orderOf } from './rollout-order.ts';
import { machinesText, planText, rolloutText } from './rollout-text.ts';
import { inSession } from './session.ts';

const EXAMPLES = `
Examples:
  bootswarm rollout plan spring --release web/2.0/amd64 --profile web --match class=web
  bootswarm rollout start spring --release web/@stable/amd64 --profile web --match class=web \\
    --waves 1,5%,25%,rest --per-edge 20 --per-rack 4 --on-failure rollback --approve-after-first
  bootswarm rollout show spring --follow
A wave ends with its machines up (--first-boot-minutes), healthy (--health-url, --health-command) and soaked
(--soak-minutes); more failures than --failures end the rollout.`;

export function addRollout(program: Command): void {
  const rollout = program
    .command('rollout')
    .description('Brings a release to many machines, wave by wave.')
    .addHelpText('after', EXAMPLES);

  addOrderOptions(
    rollout.command('plan').description('Show what a rollout would do, machine by machine.'),
  ).action((name: string, options: OrderOptions, command: Command) =>
    inSession(command, async ({ output, signal, client }) => {
      const body = orderOf(name, options);
      const plan = await client().call(endpoints.planRollout, { body }, { signal });
      output.result(plan, (each) => planText(each, bytesText));
    }),
  );

  addOrderOptions(rollout.command('start').description('Start a rollout.')).action(
    (name: string, options: OrderOptions, command: Command) =>
      inSession(command, async ({ output, signal, client }) => {
        const body = orderOf(name, options);
        const started = await client().call(endpoints.startRollout, { body }, { signal });
        output.result(started, rolloutText);
      }),
  );

  rollout
    .command('list')
    .description('List the rollouts, the newest first.')
    .action((_options: unknown, command: Command) =>
      inSession(command, async ({ output, signal, client }) => {
        const rollouts = await client().rollouts.list({}, { signal }).all();
        output.result(rollouts, listText);
      }),
    );

  rollout
    .command('show')
    .description('Show a rollout, and its machines with --machines.')
    .argument('<name>')
    .option('--follow', 'go on until it is over, in a terminal with a bar')
    .option('--machines', 'each machine with its step and why it failed')
    .action((name: string, options: { follow?: true; machines?: true }, command: Command) =>
      inSession(command, async ({ output, progress, signal, client }) => {
        if (options.follow) return followRollout(client(), name, { output, progress, signal });
        const story = await client().call(endpoints.showRollout, { params: { name }, query: {} }, { signal });
        if (!options.machines) return output.result(story, rolloutText);
        const machines = await client().rollouts.machines(name, {}, { signal }).all();
        output.result({ ...story, machines }, (each) => `${rolloutText(each)}\n\n${machinesText(machines)}`);
      }),
    );

  const commands = [
    ['pause', endpoints.pauseRollout, 'Take no more machines on until it is resumed.'],
    ['resume', endpoints.resumeRollout, 'Go on after a pause.'],
    ['approve', endpoints.approveRollout, 'Let the wave begin that waits for approval.'],
    [
      'abort',
      endpoints.abortRollout,
      'Take no more machines on for good; those in flight come to their end.',
    ],
    [
      'rollback',
      endpoints.rollbackRollout,
      'Take every machine that was touched back to what it was before.',
    ],
  ] as const;
  for (const [verb, endpoint, description] of commands)
    rollout
      .command(verb)
      .description(description)
      .argument('<name>')
      .option('--revision <number>', 'only if nobody changed it since that revision', Number)
      .action((name: string, body: { revision?: number }, command: Command) =>
        inSession(command, async ({ output, signal, client }) => {
          const changed = await client().call(endpoint, { params: { name }, body }, { signal });
          output.result(changed, rolloutText);
        }),
      );

  rollout
    .command('remove')
    .description('Forget a rollout that is over.')
    .argument('<name>')
    .action((name: string, _options: unknown, command: Command) =>
      inSession(command, async ({ output, signal, client }) => {
        await client().call(endpoints.removeRollout, { params: { name } }, { signal });
        output.result({ removed: name }, () => `Removed rollout ${name}`);
      }),
    );
}

function listText(rollouts: readonly Rollout[]): string {
  return tableText(
    ['ROLLOUT', 'STATE', 'RELEASE', 'WAVE', 'MACHINES', 'STARTED', 'WHY'],
    rollouts.map(({ order, state, release, wave, waves, startedAt, cause, detail }) => [
      order.name,
      state,
      release,
      `${wave + 1}/${waves.length}`,
      String(waves.reduce((sum, { size }) => sum + size, 0)),
      startedAt,
      detail ?? cause ?? '-',
    ]),
  );
}
