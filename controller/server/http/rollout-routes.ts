import { endpoints } from '@bootswarm/controller/contract';
import type { Services } from '../services.ts';
import { type Api, serve } from './adapter.ts';

export function addRolloutRoutes(api: Api, { rollouts }: Services): void {
  serve(api, endpoints.listRollouts, () => rollouts.list());
  serve(api, endpoints.planRollout, ({ body }) => rollouts.plan(body, new Date()));
  serve(api, endpoints.startRollout, ({ body }) => rollouts.start(body, new Date()));
  serve(api, endpoints.showRollout, ({ params, query }, { signal }) =>
    rollouts.show(params.name, query.after, query.waitSeconds * 1000, signal),
  );
  serve(api, endpoints.listRolloutMachines, ({ params, query: { cursor, after, ...query } }) =>
    rollouts.machines(params.name, { ...query, after: cursor ?? after }),
  );
  serve(api, endpoints.listRolloutSkipped, ({ params, query: { cursor, after, limit } }) =>
    rollouts.skipped(params.name, { after: cursor ?? after, limit }),
  );
  const commands = {
    pauseRollout: 'paused',
    resumeRollout: 'running',
    abortRollout: 'stopping',
    rollbackRollout: 'rolling_back',
  } as const;
  for (const [call, to] of Object.entries(commands) as [keyof typeof commands, 'paused'][])
    serve(api, endpoints[call], ({ params, body }) =>
      rollouts.move(params.name, to, body.revision, new Date()),
    );
  serve(api, endpoints.approveRollout, ({ params, body }) =>
    rollouts.approve(params.name, body.revision, new Date()),
  );
  serve(api, endpoints.removeRollout, async ({ params }) => {
    await rollouts.remove(params.name);
    return {};
  });
}
