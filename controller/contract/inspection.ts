import { Architecture } from '@bootswarm/images/format';
import { Disk } from '@bootswarm/images/install';
import { z } from 'zod';
import { Instant, Mac, Name, Uuid } from './names.ts';

const Text = z.string().max(300);

const LldpNeighbour = z.strictObject({
  chassis: Text,
  port: Text,
  portDescription: Text.optional(),
  systemName: Text.optional(),
  systemDescription: Text.optional(),
  managementAddress: Text.optional(),
  /** Of untagged frames. */
  vlan: z.int().min(0).max(4095).optional(),
});

/** An Ethernet card, and where its cable ends. */
const InspectedCard = z.strictObject({
  name: Text,
  mac: Mac,
  driver: Text.optional(),
  /** `0000:03:00.0` */
  pciAddress: Text.optional(),
  /** `8086:1572` */
  pciId: Text.optional(),
  speedMbitPerS: z.int().positive().optional(),
  hasLink: z.boolean(),
  neighbours: z.array(LldpNeighbour).max(16).default([]),
});

/** All that the agent found out about a machine. */
export const Inspection = z.strictObject({
  format: z.literal(1),
  takenAt: Instant,
  firmware: z.enum(['bios', 'uefi']),
  /** Of the kernel that the agent runs on. */
  architecture: Architecture.optional(),
  /** Left out on a BIOS. */
  secureBoot: z.enum(['on', 'off', 'setup']).optional(),
  bootOrder: z
    .array(
      z.strictObject({
        number: Text,
        label: Text,
        isActive: z.boolean(),
        kind: z.enum(['network', 'disk', 'other']),
      }),
    )
    .max(256)
    .default([]),
  system: z.strictObject({
    manufacturer: Text.optional(),
    product: Text.optional(),
    serial: Text.optional(),
    uuid: Uuid.optional(),
    sku: Text.optional(),
    assetTag: Text.optional(),
    boardProduct: Text.optional(),
    boardSerial: Text.optional(),
    chassisSerial: Text.optional(),
    biosVendor: Text.optional(),
    biosVersion: Text.optional(),
    biosDate: Text.optional(),
  }),
  processors: z.strictObject({
    model: Text.optional(),
    sockets: z.int().min(0),
    cores: z.int().min(0),
    threads: z.int().min(0),
  }),
  memory: z.strictObject({
    /** What the kernel has. */
    totalBytes: z.int().min(0),
    modules: z
      .array(
        z.strictObject({
          slot: Text,
          sizeMib: z.number().min(0),
          speedMtPerS: z.int().optional(),
          manufacturer: Text.optional(),
          part: Text.optional(),
          serial: Text.optional(),
        }),
      )
      .max(512),
  }),
  disks: z.array(Disk).max(1024),
  cards: z.array(InspectedCard).max(256),
  pci: z
    .array(z.strictObject({ address: Text, id: Text, class: Text, driver: Text.optional() }))
    .max(4096)
    .default([]),
  bmc: z
    .strictObject({ address: Text.optional(), mac: Mac.optional(), isDhcp: z.boolean().optional() })
    .optional(),
});
export type Inspection = z.infer<typeof Inspection>;

/** An inspection on its way from an edge to the controller. Sending it twice is harmless. */
export const SentInspection = z.strictObject({
  mac: Mac,
  uuid: Uuid.optional(),
  segment: Name.optional(),
  inspection: Inspection,
});
export type SentInspection = z.infer<typeof SentInspection>;

/** An inspection that the controller keeps. */
export const KeptInspection = z.strictObject({
  /** Counts up by one on each machine. */
  number: z.int().positive(),
  /** By the controller's clock. */
  receivedAt: Instant,
  edge: Name,
  inspection: Inspection,
});
export type KeptInspection = z.infer<typeof KeptInspection>;

/** What of a kept inspection a list says. */
export const InspectionSummary = KeptInspection.omit({ inspection: true }).extend({ takenAt: Instant });
export type InspectionSummary = z.infer<typeof InspectionSummary>;

/** Of each machine; the older ones go. */
export const INSPECTIONS_MOST = 20;

/** One thing that is not as it was. Left out on the side where it is not there. */
export interface InspectionChange {
  /** `disks S-45 / sizeBytes`: lists are told apart by what their things are, not by their order. */
  readonly where: string;
  readonly before?: string;
  readonly after?: string;
}

/** What of a thing in a list tells it from the others, in the order of preference. */
const IDENTITIES = ['serial', 'wwn', 'mac', 'address', 'slot', 'number', 'chassis', 'where', 'name'] as const;

/** What changed from one inspection to the next, without the time of either. */
export function inspectionChanges(before: Inspection, after: Inspection): readonly InspectionChange[] {
  return differences(before, after);
}

/** The same of anything that is told by its fields, but for when it was taken. */
export function differences(before: object, after: object): readonly InspectionChange[] {
  const [was, is] = [flattened(before), flattened(after)];
  return [...new Set([...was.keys(), ...is.keys()])].flatMap((where) => {
    const [old, now] = [was.get(where), is.get(where)];
    if (old === now || where === 'takenAt') return [];
    return [
      { where, ...(old === undefined ? {} : { before: old }), ...(now === undefined ? {} : { after: now }) },
    ];
  });
}

/** Every leaf under the way that leads to it. */
function flattened(value: unknown, way = '', into = new Map<string, string>()): Map<string, string> {
  const under = (part: string): string => (way === '' ? part : `${way} / ${part}`);
  if (Array.isArray(value)) {
    const seen = new Map<string, number>();
    for (const item of value) {
      const name = identityOf(item);
      const count = seen.get(name) ?? 0;
      seen.set(name, count + 1);
      flattened(item, `${way} ${name}${count === 0 ? '' : ` (${count + 1})`}`, into);
    }
  } else if (typeof value === 'object' && value !== null) {
    for (const [key, inner] of Object.entries(value)) flattened(inner, under(key), into);
  } else if (value !== undefined) into.set(way, String(value));
  return into;
}

function identityOf(item: unknown): string {
  if (typeof item !== 'object' || item === null) return String(item);
  const key = IDENTITIES.find((each) => (item as Record<string, unknown>)[each] !== undefined);
  return key === undefined ? 'entry' : String((item as Record<string, unknown>)[key]);
}
