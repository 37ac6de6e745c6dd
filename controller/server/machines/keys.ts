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

/** Machines of which something is due, in the order of time: an entry that is no longer true goes when it is reached. */
export const DUE_PREFIX = 'machine-due/';

export function dueKey(at: string, id: string): string {
  return `${DUE_PREFIX}${at}/${id}`;
}

/** What `dueKey` was made of. */
export function dueOf(key: string): { readonly at: string; readonly id: string } {
  const [at = '', id = ''] = key.slice(DUE_PREFIX.length).split('/');
  return { at, id };
}

/** The id of the machine that operators call so. */
export function nameKey(name: string): string {
  return `machine-names/${name}`;
}

export function newMachineId(): string {
  return `m-${randomBytes(5).toString('hex')}`;
}
