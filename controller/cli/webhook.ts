import { endpoints, type WebhookState } from '@bootswarm/controller/contract';
import type { Command } from 'commander';
import { factsText, tableText } from './output.ts';
import { problem } from './problems.ts';
import { inSession } from './session.ts';

export function addWebhook(program: Command): void {
  const webhook = program
    .command('webhook')
    .description('Where events are sent, signed as Standard Webhooks say.');

  webhook
    .command('add')
    .description('Send events from now on to a URL.')
    .argument('<name>')
    .argument('<url>')
    .option('--kind <kinds>', 'such as machine,edge.joined (default: all)')
    .option('--secret <secret>', "'whsec_' and base64 (default: one is made, and shown this once)")
    .action((name: string, url: string, options: { kind?: string; secret?: string }, command: Command) =>
      inSession(command, async ({ output, signal, client }) => {
        const { kind, secret } = options;
        const body = { name, url, ...(kind && { kind }), ...(secret && { secret }) };
        const added = await client().call(endpoints.addWebhook, { body }, { signal });
        output.result(
          added,
          (each) => `Added webhook ${name}. Its secret is shown only now:\n  ${each.secret}`,
        );
      }),
    );

  webhook
    .command('list')
    .description('List the webhooks, and how far each is.')
    .action((_options: unknown, command: Command) =>
      inSession(command, async ({ output, signal, client }) => {
        const found = await client().call(endpoints.listWebhooks, {}, { signal });
        output.result(found, () =>
          tableText(
            ['WEBHOOK', 'URL', 'KINDS', 'BEHIND', 'DEAD', 'STANDING'],
            found.map((each) => [
              ...[each.name, each.url, each.kind ?? 'all', String(each.behind), String(each.dead)],
              standingText(each),
            ]),
          ),
        );
      }),
    );

  webhook
    .command('show')
    .description('Show a webhook, and how it goes.')
    .argument('<name>')
    .action((name: string, _options: unknown, command: Command) =>
      inSession(command, async ({ output, signal, client }) => {
        const found = await client().call(endpoints.showWebhook, { params: { name } }, { signal });
        output.result(found, (each) =>
          factsText({
            ...{
              webhook: name,
              url: each.url,
              kinds: each.kind ?? 'all',
              behind: each.behind,
              dead: each.dead,
            },
            standing: standingText(each),
          }),
        );
      }),
    );

  webhook
    .command('test')
    .description('Send an event of kind webhook.test now, and say what came back.')
    .argument('<name>')
    .action((name: string, _options: unknown, command: Command) =>
      inSession(command, async ({ output, signal, client }) => {
        const outcome = await client().call(endpoints.testWebhook, { params: { name } }, { signal });
        if (!outcome.delivered)
          throw problem('webhook_not_taken', { facts: { name, answer: outcome.answer } });
        output.result(outcome, ({ answer }) => `Webhook ${name} took it: ${answer}`);
      }),
    );

  webhook
    .command('remove')
    .description('Send nothing there any more.')
    .argument('<name>')
    .action((name: string, _options: unknown, command: Command) =>
      inSession(command, async ({ output, signal, client }) => {
        await client().call(endpoints.removeWebhook, { params: { name } }, { signal });
        output.result({ removed: name }, () => `Removed webhook ${name}`);
      }),
    );

  webhook
    .command('dead')
    .description('List the events that a webhook did not take within a day.')
    .argument('<name>')
    .action((name: string, _options: unknown, command: Command) =>
      inSession(command, async ({ output, signal, client }) => {
        const letters = await client().webhooks.dead(name, {}, { signal }).all();
        output.result(letters, () =>
          tableText(
            ['NUMBER', 'TIME', 'KIND', 'OF', 'GIVEN UP', 'BECAUSE OF'],
            letters.map(({ event, at, reason }) => [
              ...[String(event.number), event.at, event.kind, event.subject, at, reason],
            ]),
          ),
        );
      }),
    );

  webhook
    .command('retry')
    .description('Send dead events again, and at once what waits for its next attempt.')
    .argument('<name>')
    .action((name: string, _options: unknown, command: Command) =>
      inSession(command, async ({ output, signal, client }) => {
        const retried = await client().call(endpoints.retryDeadLetters, { params: { name } }, { signal });
        output.result(retried, ({ waiting }) =>
          waiting === 0
            ? `Webhook ${name} has no dead events`
            : `${waiting} dead events are sent again. 'bootswarm webhook show ${name}' tells what is left`,
        );
      }),
    );
}

function standingText({ failing }: WebhookState): string {
  if (!failing) return 'delivers';
  const { since, attempts, reason, nextAt } = failing;
  return `fails since ${since} (${attempts} attempts, next ${nextAt}): ${reason}`;
}
