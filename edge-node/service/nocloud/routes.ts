import type { HttpBindings } from '@hono/node-server';
import { Hono } from 'hono';
import type { WhoAsks } from '../installers/routes.ts';
import type { NoCloudSeeds } from './seeds.ts';

type Bindings = { readonly Bindings: HttpBindings };

/**
 * The seeds that cloud-init is sent to by `ds=nocloud;s=http://EDGE/nocloud/MACHINE/`. No token: who has the address is
 * the machine, as for scripts and agents.
 */
export function noCloudRoutes(seeds: Pick<NoCloudSeeds, 'find'>, whoAsks: WhoAsks): Hono<Bindings> {
  const app = new Hono<Bindings>();
  app.get('/nocloud/:machine/:file', (c) => {
    const { machine, file } = c.req.param();
    const found = seeds.find(machine, file, whoAsks(c));
    const headers = { 'cache-control': 'no-store' };
    return 'status' in found
      ? c.text(`${found.text}\n`, found.status, headers)
      : c.text(found.text, 200, headers);
  });
  return app;
}
