import { differences, type Inspection, type InspectionChange } from './inspection.ts';
import type { Machine } from './machine.ts';
import {
  HARDWARE_CHANGES_MOST,
  type HardwareChange,
  type MachineLocation,
  type MachineProperties,
  plainText,
} from './machine-traits.ts';

/** PCI base classes (PCI Code and ID Assignment): display controllers, and processing accelerators. */
const ACCELERATOR_CLASSES = /^(03|12)/;
const GIB = 1024 ** 3;

/**
 * What of an inspection tells whether somebody had the machine open: what the kernel calls things, what is on the disks
 * and how fast they are goes by itself.
 */
export function hardwareOf({ system, processors, memory, disks, cards }: Inspection): object {
  return {
    system: { serial: system.serial, boardSerial: system.boardSerial, chassisSerial: system.chassisSerial },
    processors: { model: processors.model, sockets: processors.sockets },
    memory:
      memory.modules.length > 0
        ? {
            modules: memory.modules.map(({ slot, sizeMib, part, serial }) => ({
              slot,
              sizeMib,
              part,
              serial,
            })),
          }
        : { gib: Math.round(memory.totalBytes / GIB) },
    disks: disks
      .filter(({ isRemovable }) => !isRemovable)
      .map(({ serial, wwn, model, sizeBytes }) => ({ serial, wwn, model, sizeBytes })),
    cards: cards.map(({ mac }) => ({ mac })),
  };
}

/** What is not as it was accepted. */
export function hardwareChanges(accepted: object, inspection: Inspection): readonly InspectionChange[] {
  return differences(accepted, hardwareOf(inspection));
}

/** The mark of a machine whose hardware changed; undefined where it is as it was accepted, or is so again. */
export function hardwareMark(
  changes: readonly InspectionChange[],
  since: string,
): HardwareChange | undefined {
  if (changes.length === 0) return undefined;
  const shown = changes.slice(0, HARDWARE_CHANGES_MOST).map(({ where, before, after }) => ({
    where: plainText(where) ?? '',
    ...(before === undefined ? {} : { before: plainText(before) ?? '' }),
    ...(after === undefined ? {} : { after: plainText(after) ?? '' }),
  }));
  return { since, changes: shown, count: changes.length };
}

/** The machine with what an inspection found in it, and where its cables end. What was registered stays. */
export function inspected(machine: Machine, inspection: Inspection): Machine {
  const serial = plainText(inspection.system.serial) ?? machine.serial;
  const { links: _, ...registered } = machine.location ?? {};
  const links = linksOf(inspection);
  const location: MachineLocation = { ...registered, ...(links.length > 0 ? { links } : {}) };
  const { location: __, ...rest } = machine;
  return {
    ...rest,
    ...(serial === undefined ? {} : { serial }),
    ...(Object.keys(location).length > 0 ? { location } : {}),
    properties: propertiesOf(inspection, machine.properties),
  };
}

function propertiesOf(inspection: Inspection, before: MachineProperties = {}): MachineProperties {
  const { processors, memory, system, firmware, pci } = inspection;
  const disks = inspection.disks.filter(({ isRemovable }) => !isRemovable);
  const moduleBytes = memory.modules.reduce((sum, { sizeMib }) => sum + sizeMib * 1024 ** 2, 0);
  const architecture = inspection.architecture ?? before.architecture;
  const accelerators = pci
    .filter((device) => ACCELERATOR_CLASSES.test(device.class))
    .flatMap(({ id }) => plainText(id) ?? [])
    .toSorted()
    .slice(0, 32);
  return {
    cpus: processors.threads,
    memoryBytes: Math.round(moduleBytes > 0 ? moduleBytes : memory.totalBytes),
    diskBytes: disks.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    disks: disks.length,
    firmware,
    ...(architecture === undefined ? {} : { architecture }),
    ...texts({
      manufacturer: system.manufacturer,
      product: system.product,
      processor: processors.model,
      biosVersion: system.biosVersion,
    }),
    ...(accelerators.length > 0 ? { accelerators } : {}),
    ...(before.extra === undefined ? {} : { extra: before.extra }),
  };
}

type TextProperties = Partial<Record<'manufacturer' | 'product' | 'processor' | 'biosVersion', string>>;

function texts(named: Readonly<Record<keyof TextProperties, string | undefined>>): TextProperties {
  return Object.fromEntries(
    Object.entries(named).flatMap(([name, text]) => {
      const plain = plainText(text);
      return plain === undefined ? [] : [[name, plain]];
    }),
  );
}

/** A switch by the name that it gives itself, else by its chassis; of a card's neighbours the first. */
function linksOf({ cards }: Inspection): NonNullable<MachineLocation['links']> {
  return cards
    .flatMap(({ mac, neighbours: [neighbour] }) => {
      const [name, port] = [
        plainText(neighbour?.systemName) ?? plainText(neighbour?.chassis),
        plainText(neighbour?.port),
      ];
      return name === undefined || port === undefined ? [] : [{ mac, switch: name, port }];
    })
    .slice(0, 64);
}
