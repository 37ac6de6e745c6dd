import { z } from 'zod';

/**
 * What was found on a disk, or in a partition of it, that somebody may still want. `data-mark` is a partition whose GPT
 * name begins with `bootswarm-keep`; what is `unreadable` may hold anything.
 */
export const Holding = z.strictObject({
  kind: z.enum([
    'data-mark',
    'raid',
    'lvm',
    'zfs',
    'btrfs',
    'luks',
    'ceph',
    'filesystem',
    'swap',
    'unreadable',
  ]),
  /** Kernel name of the disk or partition, such as `sda1`. */
  where: z.string().max(64),
  /** For a person: label, array or group name. */
  detail: z.string().max(200).default(''),
  /** The volume group that an LVM member belongs to. */
  group: z.string().max(128).optional(),
});
export type Holding = z.infer<typeof Holding>;

/** A disk as the inspection tells of it. */
export const Disk = z.strictObject({
  /** Kernel name, such as `sda`: it says nothing about which disk that is at the next boot. */
  name: z.string().min(1).max(64),
  sizeBytes: z.int().positive(),
  /** What a sector number counts. */
  sectorBytes: z.union([z.literal(512), z.literal(4096)]).default(512),
  model: z.string().max(200).optional(),
  serial: z.string().max(200).optional(),
  /** Of an NVMe disk without one, the kernel makes one of its vendor, serial number and model. */
  wwn: z.string().max(200).optional(),
  /** Names under /dev/disk/by-path. */
  byPath: z.array(z.string().max(200)).max(8).default([]),
  isRotational: z.boolean().default(false),
  isRemovable: z.boolean().default(false),
  isReadOnly: z.boolean().default(false),
  /** What is mounted from it, or otherwise in use, now. */
  isBusy: z.boolean().default(false),
  holds: z.array(Holding).max(256).default([]),
});
export type Disk = z.infer<typeof Disk>;

/** What of an inspection a plan rests on. */
export const DiskFacts = z.strictObject({
  firmware: z.enum(['bios', 'uefi']),
  disks: z.array(Disk).max(1024),
});
export type DiskFacts = z.infer<typeof DiskFacts>;

/** `sda (Samsung SSD 980, serial S64, 931.5 GiB)`: for messages. */
export function diskText({
  name,
  model,
  serial,
  wwn,
}: Pick<Disk, 'name' | 'model' | 'serial' | 'wwn'>): string {
  const facts = [model, serial && `serial ${serial}`, wwn && `WWN ${wwn}`].filter(Boolean);
  return facts.length === 0 ? name : `${name} (${facts.join(', ')})`;
}
