import { endpoints } from '@bootswarm/controller/contract';
import type { Services } from '../services.ts';
import { type Api, serve } from './adapter.ts';

export function addMachineLifeRoutes(api: Api, { lives }: Services): void {
  serve(api, endpoints.overrideState, ({ params, body }) => lives.override(params.machine, body, new Date()));
  serve(api, endpoints.maintainMachine, ({ params, body }) =>
    lives.maintain(params.machine, body, new Date()),
  );
  serve(api, endpoints.releaseMachine, ({ params, body }) => lives.release(params.machine, body, new Date()));
  serve(api, endpoints.machineHistory, ({ params }) => lives.history(params.machine));
}
