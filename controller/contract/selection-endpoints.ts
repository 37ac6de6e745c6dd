import { z } from 'zod';
import { Assignment } from './assignment.ts';
import type { Endpoint } from './endpoint.ts';
import { Machine } from './machine.ts';
import { ImportReceipt, MachineImport, MachineRegistration } from './machine-registration.ts';
import { MachineReservation, ReservationRequest } from './machine-reservation.ts';
import { MachineRule } from './machine-rule.ts';
import { LabelName, LabelValue } from './machine-traits.ts';
import { Name } from './names.ts';
import { PageQuery } from './page.ts';

const ByName = z.object({ name: Name });
/** A machine's id, name, UUID or one of its MACs. */
const ByMachine = z.object({ machine: z.string().min(1).max(64) });
const Nothing = z.strictObject({});

/** What an operator says of a machine; null takes a value back, so that rules say it. */
const TraitsChange = z.strictObject({
  labels: z.record(LabelName, LabelValue.nullable()).optional(),
  class: Name.nullable().optional(),
});
export type TraitsChange = z.infer<typeof TraitsChange>;

/** Why a machine has the values that it has, and what is assigned to it. */
export const MachineExplanation = z.strictObject({
  machine: Machine,
  values: z.array(
    z.strictObject({
      what: z.string(),
      value: z.string(),
      /** A rule, or `by hand`. */
      by: z.string(),
      lost: z.array(z.strictObject({ rule: z.string(), value: z.string() })),
    }),
  ),
  assignment: Assignment.optional(),
  /** Assignments none of which is narrower than the others: none of them holds. */
  conflict: z.array(Name),
  lost: z.array(Name),
});
export type MachineExplanation = z.infer<typeof MachineExplanation>;

/** Knowing and choosing machines. */
export const selectionEndpoints = {
  registerMachine: {
    method: 'post',
    path: '/v1/machines',
    summary: 'Make a machine known, or say more of a known one. The same again changes nothing',
    audience: 'operator',
    body: MachineRegistration,
    result: Machine,
  },
  importMachines: {
    method: 'post',
    path: '/v1/machines/import',
    summary: 'Register many machines: all rows, or none and all that is wrong with them',
    audience: 'operator',
    body: MachineImport,
    result: ImportReceipt,
  },
  changeTraits: {
    method: 'post',
    path: '/v1/machines/{machine}/traits',
    summary: 'Set labels and the class of a machine by hand',
    audience: 'operator',
    params: ByMachine,
    body: TraitsChange,
    result: Machine,
  },
  acceptHardware: {
    method: 'post',
    path: '/v1/machines/{machine}/hardware',
    summary: 'Take the hardware that the last inspection found as it should be',
    audience: 'operator',
    params: ByMachine,
    result: Machine,
  },
  explainMachine: {
    method: 'get',
    path: '/v1/machines/{machine}/explanation',
    summary: 'Which rules gave a machine its values, which lost, and what is assigned to it',
    audience: 'operator',
    params: ByMachine,
    result: MachineExplanation,
  },
  installAssigned: {
    method: 'post',
    path: '/v1/machines/{machine}/install',
    summary: 'Have a machine installed at its next boot by what is assigned to it',
    tagged: 'machine',
    audience: 'operator',
    params: ByMachine,
    result: Machine,
  },
  unreserveMachine: {
    method: 'delete',
    path: '/v1/machines/{machine}/reservation',
    summary: 'Take a machine out of its reservation, which ends with its last',
    audience: 'operator',
    params: ByMachine,
    result: Machine,
  },

  listReservations: {
    method: 'get',
    path: '/v1/reservations',
    summary: 'Machines that are set aside, and for whom',
    paged: 'reservation',
    audience: 'operator',
    query: z.object(PageQuery),
    result: z.array(MachineReservation),
  },
  reserve: {
    method: 'post',
    path: '/v1/reservations',
    summary: 'Set machines aside: as many as are asked for, or none',
    audience: 'operator',
    body: ReservationRequest,
    result: MachineReservation,
  },
  showReservation: {
    method: 'get',
    path: '/v1/reservations/{name}',
    summary: 'One reservation',
    audience: 'operator',
    params: ByName,
    result: MachineReservation,
  },
  endReservation: {
    method: 'delete',
    path: '/v1/reservations/{name}',
    summary: 'End a reservation: its machines are free again',
    audience: 'operator',
    params: ByName,
    result: MachineReservation,
  },

  listRules: {
    method: 'get',
    path: '/v1/rules',
    summary: 'What is set of machines that are of a kind',
    audience: 'operator',
    result: z.array(MachineRule),
  },
  showRule: {
    method: 'get',
    path: '/v1/rules/{name}',
    summary: 'One rule',
    tagged: 'rule',
    audience: 'operator',
    params: ByName,
    result: MachineRule,
  },
  replaceRule: {
    method: 'put',
    path: '/v1/rules/{name}',
    summary: 'Put a rule in the place of the one of that name, or add it; machines follow at once',
    tagged: 'rule',
    audience: 'operator',
    params: ByName,
    body: MachineRule,
    result: MachineRule,
  },
  removeRule: {
    method: 'delete',
    path: '/v1/rules/{name}',
    summary: 'Remove a rule, and what it set',
    tagged: 'rule',
    audience: 'operator',
    params: ByName,
    result: Nothing,
  },

  listAssignments: {
    method: 'get',
    path: '/v1/assignments',
    summary: 'By which profiles machines are installed where nobody says otherwise',
    audience: 'operator',
    result: z.array(Assignment),
  },
  showAssignment: {
    method: 'get',
    path: '/v1/assignments/{name}',
    summary: 'One assignment',
    tagged: 'assignment',
    audience: 'operator',
    params: ByName,
    result: Assignment,
  },
  replaceAssignment: {
    method: 'put',
    path: '/v1/assignments/{name}',
    summary: 'Put an assignment in the place of the one of that name, or add it',
    tagged: 'assignment',
    audience: 'operator',
    params: ByName,
    body: Assignment,
    result: Assignment,
  },
  removeAssignment: {
    method: 'delete',
    path: '/v1/assignments/{name}',
    summary: 'Remove an assignment',
    tagged: 'assignment',
    audience: 'operator',
    params: ByName,
    result: Nothing,
  },
} as const satisfies Readonly<Record<string, Endpoint>>;
