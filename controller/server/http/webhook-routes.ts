import { endpoints } from '@bootswarm/controller/contract';
import type { Services } from '../services.ts';
import { type Api, serve } from './adapter.ts';

export function addWebhookRoutes(api: Api, { webhooks, courier }: Services): void {
  serve(api, endpoints.listWebhooks, () => webhooks.list());
  serve(api, endpoints.addWebhook, ({ body }) => webhooks.add(body));
  serve(api, endpoints.showWebhook, ({ params }) => webhooks.show(params.name));
  serve(api, endpoints.removeWebhook, async ({ params }) => {
    await webhooks.remove(params.name);
    return {};
  });
  serve(api, endpoints.testWebhook, ({ params }, { signal }) =>
    webhooks.test(params.name, new Date(), signal),
  );
  serve(api, endpoints.listDeadLetters, ({ params }) => webhooks.dead(params.name));
  serve(api, endpoints.retryDeadLetters, async ({ params: { name } }) => {
    const waiting = await webhooks.askRetry(name);
    courier?.wake(name);
    return { waiting };
  });
}
