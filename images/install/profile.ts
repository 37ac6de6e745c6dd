import { z } from 'zod';
import { Size } from './size.ts';

const Text = z.string().min(1).max(200);
const VolumeName = z
  .string()
  .regex(/^[a-z][a-z0-9_]{0,30}$/, 'must be 1 to 31 of a-z 0-9 _ and start with a letter');
/** What a plan calls its own partitions. */
const PLAN_NAMES: readonly string[] = ['root', 'esp', 'swap'];
const ESP_MOUNT = '/boot/efi';
const FileSystem = z.enum(['ext4', 'xfs']);
const MountPoint = z
  .string()
  .regex(/^\/[a-z0-9_-]+(\/[a-z0-9._-]+){0,8}$/, 'must be an absolute path such as /var/lib');

/** What tells a disk from the others. All that is given must hold, and of exactly one disk. */
export const DiskHints = z
  .strictObject({
    serial: Text.optional(),
    wwn: Text.optional(),
    /** A part of it is enough. */
    model: Text.optional(),
    /** A name under /dev/disk/by-path. */
    byPath: Text.optional(),
    minSize: Size.optional(),
    maxSize: Size.optional(),
    isRotational: z.boolean().optional(),
  })
  .refine((hints) => Object.keys(hints).length > 0, 'must say something about the disk');
export type DiskHints = z.infer<typeof DiskHints>;

const Volume = z.strictObject({
  name: VolumeName,
  size: Size,
  fileSystem: FileSystem.default('ext4'),
  mount: MountPoint,
});

const ExtraPartition = z.strictObject({
  name: VolumeName,
  size: Size,
  fileSystem: FileSystem.default('ext4'),
  mount: MountPoint,
});

/** How the disks of a machine are to be laid out. */
export const DiskLayout = z
  .strictObject({
    /** One disk, or two that mirror the root (RAID 1). */
    disks: z.array(DiskHints).min(1).max(2),
    table: z.enum(['gpt', 'mbr']).default('gpt'),
    root: z
      .strictObject({
        fileSystem: FileSystem.default('ext4'),
        /** The rest of the disk where it is left out. */
        size: Size.optional(),
      })
      .prefault({}),
    swap: Size.optional(),
    partitions: z.array(ExtraPartition).max(8).default([]),
    /** A volume group of what is left; needs `root.size`. */
    lvm: z
      .strictObject({ group: VolumeName.default('data'), volumes: z.array(Volume).max(32).default([]) })
      .optional(),
    /** Serial numbers or WWNs of disks that may be written although they hold what looks like somebody's data. */
    mayErase: z.array(Text).max(64).default([]),
    bootLoader: z.enum(['grub', 'extlinux']).default('grub'),
  })
  .superRefine(({ root, lvm, partitions, disks, bootLoader }, context) => {
    const refuse = (path: (string | number)[], message: string): void =>
      context.addIssue({ code: 'custom', path, message });
    if (lvm && root.size === undefined)
      refuse(['root', 'size'], 'must be given, as `lvm` takes what is left of the disk');
    const mounts = [...partitions, ...(lvm?.volumes ?? [])].map(({ mount }) => mount);
    const twice = mounts.find((mount, index) => mounts.indexOf(mount) < index);
    if (twice !== undefined) refuse(['partitions'], `mount ${twice} twice`);
    const names = [...partitions, ...(lvm?.volumes ?? [])].map(({ name }) => name);
    const same = names.find((name, index) => names.indexOf(name) < index);
    if (same !== undefined) refuse(['partitions'], `name ${same} twice`);
    const ours = names.find((name) => PLAN_NAMES.includes(name));
    if (ours !== undefined)
      refuse(['partitions'], `take another name than ${ours}, which the plan itself uses`);
    if (mounts.includes(ESP_MOUNT)) refuse(['partitions'], `leave ${ESP_MOUNT} to the EFI system partition`);
    if (lvm && [...PLAN_NAMES, ...partitions.map(({ name }) => name)].includes(lvm.group))
      refuse(['lvm', 'group'], `${lvm.group} is the name of a partition`);
    if (bootLoader === 'extlinux' && disks.length === 2)
      refuse(['bootLoader'], 'extlinux cannot start from a mirror: take grub');
  });
export type DiskLayout = z.infer<typeof DiskLayout>;
