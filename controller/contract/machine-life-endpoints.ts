import { z } from 'zod';
import type { Endpoint } from './endpoint.ts';
import { WipeSettings } from './intent.ts';
import { Machine } from './machine.ts';
import { MachineMove, MachineState } from './machine-state.ts';

const ByMachine = z.object({ machine: z.string().min(1).max(64) });
const Reason = z.string().trim().min(1, 'must say why').max(500);

/** The states that somebody may say; the others come of what is armed and done. */
export const MachineStateChange = z.strictObject({
  to: MachineState.extract(['discovered', 'available', 'active', 'maintenance', 'reserved', 'failed']),
  reason: Reason,
});
export type MachineStateChange = z.infer<typeof MachineStateChange>;

export const Maintenance = z.strictObject({ isOn: z.boolean(), reason: Reason });
export type Maintenance = z.infer<typeof Maintenance>;

export const MachineRelease = z.strictObject({
  reason: Reason.default('released'),
  method: WipeSettings.shape.method,
});
export type MachineRelease = z.infer<typeof MachineRelease>;

/** Calls about the life of machines. */
export const machineLifeEndpoints = {
  overrideState: {
    method: 'put',
    path: '/v1/machines/{machine}/state',
    summary: 'Say in which state a machine is. What is armed for it is called off',
    audience: 'operator',
    params: ByMachine,
    body: MachineStateChange,
    result: Machine,
  },
  maintainMachine: {
    method: 'put',
    path: '/v1/machines/{machine}/maintenance',
    summary: 'Take a machine into maintenance, where nothing else moves it, or out of it',
    audience: 'operator',
    params: ByMachine,
    body: Maintenance,
    result: Machine,
  },
  releaseMachine: {
    method: 'post',
    path: '/v1/machines/{machine}/release',
    summary: 'Have all disks of a machine wiped at its next boot, after which it is available',
    audience: 'operator',
    params: ByMachine,
    body: MachineRelease,
    result: Machine,
  },
  machineHistory: {
    method: 'get',
    path: '/v1/machines/{machine}/history',
    summary: 'How a machine came to its state: the last hundred moves, newest first',
    audience: 'operator',
    params: ByMachine,
    result: z.array(MachineMove),
  },
} as const satisfies Readonly<Record<string, Endpoint>>;
