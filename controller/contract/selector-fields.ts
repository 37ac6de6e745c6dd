import type { Machine } from './machine.ts';
import { lifeOf } from './machine-life.ts';
import { labelOf, rackOf } from './machine-traits.ts';
import { Mac, Uuid } from './names.ts';

interface TextField {
  readonly kind: 'text';
  /** None where the machine has no such value. */
  readonly of: (machine: Machine) => readonly string[] | string | undefined;
  /** How a value is spelt here; undefined for what can be none. */
  readonly spell?: (text: string) => string | undefined;
  readonly example: string;
}

interface NumberField {
  readonly kind: 'number';
  readonly of: (machine: Machine) => number | undefined;
  readonly example: string;
}

export type SelectorField = TextField | NumberField;

/** What a selector may ask of a machine; `label.NAME` and `property.NAME` beside it. */
const FIELDS: Readonly<Record<string, SelectorField>> = {
  id: { kind: 'text', of: ({ id }) => id, example: 'm-0123456789' },
  name: { kind: 'text', of: ({ name }) => name, example: 'web-1' },
  mac: {
    kind: 'text',
    of: ({ macs }) => macs,
    spell: (text) => Mac.safeParse(text).data,
    example: '52:54:00:12:34:56',
  },
  uuid: {
    kind: 'text',
    of: ({ uuid }) => uuid,
    spell: (text) => Uuid.safeParse(text).data,
    example: '4c4c4544-0042-3510-8052-b4c04f4a3232',
  },
  serial: { kind: 'text', of: ({ serial }) => serial, example: 'CZ1234' },
  class: { kind: 'text', of: ({ class: name }) => name, example: 'compute' },
  state: { kind: 'text', of: (machine) => lifeOf(machine).state, example: 'available' },
  segment: { kind: 'text', of: ({ segment }) => segment, example: 'lab' },
  address: { kind: 'text', of: ({ address }) => address, example: '10.1.2.*' },
  /** Its kind alone, such as `live`. */
  intent: { kind: 'text', of: ({ intent }) => intent?.kind, example: 'live' },
  reservation: { kind: 'text', of: ({ reservation }) => reservation, example: 'tests' },
  rack: { kind: 'text', of: rackOf, example: 'r1' },
  position: { kind: 'text', of: ({ location }) => location?.position, example: '12' },
  switch: {
    kind: 'text',
    of: ({ location }) => location?.links?.map((link) => link.switch),
    example: 'leaf1',
  },
  port: { kind: 'text', of: ({ location }) => location?.links?.map(({ port }) => port), example: 'xe-0/0/7' },
  architecture: { kind: 'text', of: ({ properties }) => properties?.architecture, example: 'amd64' },
  firmware: { kind: 'text', of: ({ properties }) => properties?.firmware, example: 'uefi' },
  manufacturer: { kind: 'text', of: ({ properties }) => properties?.manufacturer, example: 'Dell*' },
  product: { kind: 'text', of: ({ properties }) => properties?.product, example: '"PowerEdge R760"' },
  processor: { kind: 'text', of: ({ properties }) => properties?.processor, example: '*EPYC*' },
  bios: { kind: 'text', of: ({ properties }) => properties?.biosVersion, example: '2.1.*' },
  accelerator: { kind: 'text', of: ({ properties }) => properties?.accelerators, example: '10de:*' },
  hardware: {
    kind: 'text',
    of: ({ hardwareChanged }) => (hardwareChanged === undefined ? 'accepted' : 'changed'),
    example: 'changed',
  },
  cpus: { kind: 'number', of: ({ properties }) => properties?.cpus, example: '64' },
  memory: { kind: 'number', of: ({ properties }) => properties?.memoryBytes, example: '64G' },
  disk: { kind: 'number', of: ({ properties }) => properties?.diskBytes, example: '4T' },
  disks: { kind: 'number', of: ({ properties }) => properties?.disks, example: '2' },
  accelerators: { kind: 'number', of: ({ properties }) => properties?.accelerators?.length, example: '8' },
};

export const SELECTOR_FIELDS: readonly string[] = Object.keys(FIELDS);

/** By the name that a term has it under; undefined where there is none. */
export function selectorField(name: string): SelectorField | undefined {
  if (Object.hasOwn(FIELDS, name)) return FIELDS[name];
  const label = /^label\.(.*)$/s.exec(name)?.[1];
  if (label !== undefined) return { kind: 'text', of: ({ labels }) => labelOf(labels, label), example: 'r1' };
  const property = /^property\.(.*)$/s.exec(name)?.[1];
  if (property === undefined) return undefined;
  return { kind: 'text', of: ({ properties }) => labelOf(properties?.extra, property), example: 'x' };
}
