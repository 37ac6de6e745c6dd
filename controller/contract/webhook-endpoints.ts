import { z } from 'zod';
import type { Endpoint } from './endpoint.ts';
import { Name } from './names.ts';
import { PageQuery } from './page.ts';
import {
  DeadLetter,
  Webhook,
  WebhookOutcome,
  WebhookSecret,
  WebhookState,
  WebhookWithSecret,
} from './webhook.ts';

const ByName = z.object({ name: Name });

export const webhookEndpoints = {
  listWebhooks: {
    method: 'get',
    path: '/v1/webhooks',
    summary: 'Where events are sent, and how that goes',
    audience: 'operator',
    result: z.array(WebhookState),
  },
  addWebhook: {
    method: 'post',
    path: '/v1/webhooks',
    summary: 'Send events from now on to a URL; gives the secret that signs them, which is shown this once',
    audience: 'operator',
    body: Webhook.extend({ secret: WebhookSecret.optional() }),
    result: WebhookWithSecret,
  },
  showWebhook: {
    method: 'get',
    path: '/v1/webhooks/{name}',
    summary: 'One webhook, and how it goes',
    audience: 'operator',
    params: ByName,
    result: WebhookState,
  },
  removeWebhook: {
    method: 'delete',
    path: '/v1/webhooks/{name}',
    summary: 'Send nothing there any more; what it was not given is forgotten',
    audience: 'operator',
    params: ByName,
    result: z.strictObject({}),
  },
  testWebhook: {
    method: 'post',
    path: '/v1/webhooks/{name}/test',
    summary: 'Send an event of kind webhook.test now, once, and say what came back',
    audience: 'operator',
    params: ByName,
    result: WebhookOutcome,
  },
  listDeadLetters: {
    method: 'get',
    path: '/v1/webhooks/{name}/dead',
    summary: 'Events that a webhook did not take within a day, oldest first; the last thousand',
    paged: 'dead-letter',
    audience: 'operator',
    params: ByName,
    query: z.object(PageQuery),
    result: z.array(DeadLetter),
  },
  retryDeadLetters: {
    method: 'post',
    path: '/v1/webhooks/{name}/dead/retry',
    summary:
      'Have dead events sent again, oldest first, until one is not taken; and what waits for its next attempt, at once. `waiting` of them are dead now',
    audience: 'operator',
    params: ByName,
    result: z.strictObject({ waiting: z.int().min(0) }),
  },
} as const satisfies Readonly<Record<string, Endpoint>>;
