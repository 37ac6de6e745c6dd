import { assignmentFor, endpoints, explainRules } from '@bootswarm/controller/contract';
import type { Services } from '../services.ts';
import { type Api, serve } from './adapter.ts';

/** Knowing and choosing machines. */
export function addSelectionRoutes(
  api: Api,
  { machines, registration, reservations, rules, assignments, assignedInstalls, inspections }: Services,
): void {
  serve(api, endpoints.registerMachine, ({ body }) => registration.register(body));
  serve(api, endpoints.importMachines, ({ body }) => registration.import(body));
  serve(api, endpoints.changeTraits, ({ params, body }) => registration.change(params.machine, body));
  serve(api, endpoints.acceptHardware, ({ params }) => inspections.acceptHardware(params.machine));
  serve(api, endpoints.explainMachine, async ({ params }) => {
    const { journal: _, ...machine } = await machines.show(params.machine);
    const { conflict, lost, assignment } = assignmentFor(machine, await assignments.list());
    return {
      machine,
      values: explainRules(await rules.list(), machine).map((value) => ({ ...value, lost: [...value.lost] })),
      ...(assignment === undefined ? {} : { assignment }),
      conflict: [...conflict],
      lost: [...lost],
    };
  });
  serve(api, endpoints.installAssigned, ({ params }) => assignedInstalls.install(params.machine, new Date()));
  serve(api, endpoints.unreserveMachine, async ({ params }) => {
    const { id } = await machines.show(params.machine);
    return reservations.release(id, new Date());
  });
  serve(api, endpoints.listReservations, () => reservations.list());
  serve(api, endpoints.reserve, ({ body }) => reservations.reserve(body, new Date()));
  serve(api, endpoints.showReservation, ({ params }) => reservations.show(params.name));
  serve(api, endpoints.endReservation, ({ params }) => reservations.end(params.name, new Date()));
  serve(api, endpoints.listRules, () => rules.list());
  serve(api, endpoints.showRule, ({ params }) => rules.show(params.name));
  serve(api, endpoints.replaceRule, ({ params, body }) => rules.replace(params.name, body));
  serve(api, endpoints.removeRule, async ({ params }) => {
    await rules.remove(params.name);
    return {};
  });
  serve(api, endpoints.listAssignments, async () => [...(await assignments.list())]);
  serve(api, endpoints.showAssignment, ({ params }) => assignments.show(params.name));
  serve(api, endpoints.replaceAssignment, ({ params, body }) => assignments.replace(params.name, body));
  serve(api, endpoints.removeAssignment, async ({ params }) => {
    await assignments.remove(params.name);
    return {};
  });
}
