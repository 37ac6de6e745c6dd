import { randomBytes } from 'node:crypto';

export const MACHINES_PREFIX = 'machines/';

export function machineKey(id: string): string {
  return MACHINES_PREFIX + id;
}

/** Ids of the machines that carry a MAC, in order: a dock's may belong to several. */
export function macKey(mac: string): string {
  return `machine-macs/${mac}`;
}

/** The id of the machine that has a UUID. */
export function uuidKey(uuid: string): string {
  return `machine-uuids/${uuid}`;
}

/** The id of the machine that operators call so. */
export function nameKey(name: string): string {
  return `machine-names/${name}`;
}

export function newMachineId(): string {
  return `m-${randomBytes(5).toString('hex')}`;
}
