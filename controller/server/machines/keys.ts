import { randomBytes } from 'node:crypto';

export const MACHINES_PREFIX = 'machines/';
export const JOURNAL_PREFIX = 'machine-journal/';
/** Read and written wherever a machine is made or gets a MAC or UUID, so that none of them gets two machines. */
export const GUARD = 'guards/machines';

export function machineKey(id: string): string {
  return MACHINES_PREFIX + id;
}

export function newMachineId(): string {
  return `m-${randomBytes(5).toString('hex')}`;
}
