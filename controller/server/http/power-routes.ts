import { endpoints } from '@bootswarm/controller/contract';
import type { Services } from '../services.ts';
import { type Api, serve } from './adapter.ts';

/** Power, and the secrets that it takes. */
export function addPowerRoutes(api: Api, { power, secrets }: Services): void {
  serve(api, endpoints.listSecrets, () => secrets.list());
  serve(api, endpoints.setSecret, ({ params, body }) => secrets.set(params.name, body.value, new Date()));
  serve(api, endpoints.removeSecret, async ({ params }) => {
    await secrets.remove(params.name);
    return {};
  });
  serve(api, endpoints.setBmc, ({ params, body }) => power.setBmc(params.machine, body));
  serve(api, endpoints.removeBmc, ({ params }) => power.removeBmc(params.machine));
  serve(api, endpoints.orderPower, ({ params, body }) => power.order(params.machine, body));
  serve(api, endpoints.showPower, ({ params, query }, { signal }) =>
    power.show(params.machine, query.after, query.waitSeconds * 1000, signal),
  );
}
