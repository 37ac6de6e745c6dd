import { chooseDisks } from './choose.ts';
import { type Disk, type DiskFacts, diskText } from './disk.ts';
import { identityUuid } from './identity.ts';
import type { DiskLayout } from './profile.ts';
import { isRefusal, type Refusal, refusal } from './refusal.ts';
import { bytesOf, sizeText } from './size.ts';

const MIB = 2 ** 20;
/** The first partition begins here, and every other one at a multiple of it: any disk's own blocks divide it. */
const ALIGNMENT = MIB;
/** At the end of a GPT disk: the second table takes 33 sectors. */
const TAIL = MIB;
const BIOS_BOOT = MIB;
const ESP = 512 * MIB;
/** Less than this holds no system. */
const ROOT_LEAST = 1024 * MIB;
/** File systems keep journals and spare blocks to themselves: a twentieth and this. */
const ROOT_SPARE = 256 * MIB;
/** LVM's own data take the first of these. */
const EXTENT = 4 * MIB;
/** What mdadm leaves free before the data of a member, for its own use: a thousandth of the disk, so much at most. */
const MIRROR_SPARE_MOST = 128 * MIB;
const MBR_PARTITIONS_MOST = 4;
const MBR_BYTES_MOST = 2 ** 41;

type PartitionRole = 'bios-boot' | 'esp' | 'swap' | 'extra' | 'root' | 'lvm';

export interface PlannedPartition {
  /** From 1. */
  readonly number: number;
  readonly role: PartitionRole;
  /** Its GPT name, and what other parts of the plan call it. */
  readonly name: string;
  readonly startBytes: number;
  readonly lengthBytes: number;
  /** GPT partition GUID. */
  readonly uuid: string;
}

export interface PlannedDisk {
  /** Kernel name at the time of the inspection; `disk` tells it apart for good. */
  readonly name: string;
  readonly disk: Pick<Disk, 'model' | 'serial' | 'wwn' | 'byPath' | 'sizeBytes' | 'sectorBytes'>;
  readonly tableUuid: string;
  readonly partitions: readonly PlannedPartition[];
}

/** What is put on a partition, or on the mirror of two. */
export interface PlannedFileSystem {
  readonly on: { readonly kind: 'partition' | 'volume'; readonly name: string };
  readonly type: 'ext4' | 'xfs' | 'vfat' | 'swap';
  readonly uuid: string;
  /** Undefined for swap. */
  readonly mount: string | undefined;
}

export interface DiskPlan {
  readonly firmware: DiskFacts['firmware'];
  readonly table: DiskLayout['table'];
  readonly bootLoader: DiskLayout['bootLoader'];
  /** Two are a mirror, partition by partition; the EFI system partitions are copies. */
  readonly disks: readonly PlannedDisk[];
  readonly fileSystems: readonly PlannedFileSystem[];
  readonly group:
    | {
        readonly name: string;
        readonly volumes: readonly { readonly name: string; readonly lengthBytes: number }[];
      }
    | undefined;
  /** What is lost, for a person. */
  readonly erases: readonly string[];
}

export interface PlanRequest {
  readonly facts: DiskFacts;
  readonly layout: DiskLayout;
  /** Of the installation: the same one gives the same identities of disks and file systems. */
  readonly identity: string;
  /** Bytes of the unpacked image, where they are known. */
  readonly imageBytes?: number;
}

/** What would be written to which disks, or why nothing will be. Pure. */
export function planDisks({ facts, layout, identity, imageBytes = 0 }: PlanRequest): DiskPlan | Refusal {
  const disks = chooseDisks(facts, layout);
  if (isRefusal(disks)) return disks;
  const { firmware } = facts;
  const { table, bootLoader } = layout;
  const smallest = disks.reduce((a, b) => (b.sizeBytes < a.sizeBytes ? b : a));
  if (table === 'mbr' && smallest.sizeBytes > MBR_BYTES_MOST)
    return refusal('mbr_too_large', { disk: diskText(smallest), size: sizeText(smallest.sizeBytes) });

  if (bootLoader === 'extlinux' && firmware === 'uefi') return refusal('no_extlinux_on_uefi', {});
  const wanted = partitionsOf(layout, firmware);
  if (table === 'mbr' && wanted.length > MBR_PARTITIONS_MOST)
    return refusal('mbr_too_many', { needed: String(wanted.length) });
  const rootNeeds = Math.max(ROOT_LEAST, Math.ceil(imageBytes * 1.05) + ROOT_SPARE);
  const placed = place(wanted, smallest, rootNeeds);
  if (isRefusal(placed)) return placed;

  const root = placed.find(({ role }) => role === 'root');
  if (root && root.lengthBytes < rootNeeds)
    return refusal('root_too_small', { size: sizeText(root.lengthBytes), needed: sizeText(rootNeeds) });
  const names = new Set(disks.map(({ name }) => name));
  const taker = facts.disks.find(
    (disk) =>
      !names.has(disk.name) &&
      disk.holds.some(({ group }) => group !== undefined && group === layout.lvm?.group),
  );
  if (taker && layout.lvm) return refusal('group_taken', { group: layout.lvm.group, disk: diskText(taker) });
  const group = groupOf(layout, placed);
  if (group && isRefusal(group)) return group;
  return {
    firmware,
    table,
    bootLoader,
    disks: disks.map((disk, index) => plannedDisk(disk, placed, `${identity} disk ${index}`)),
    fileSystems: fileSystemsOf(layout, placed, identity),
    group,
    erases: disks.flatMap(({ holds }) =>
      holds.map(({ kind, where, detail }) => `${kind} on ${where}${detail === '' ? '' : ` (${detail})`}`),
    ),
  };
}

interface Wanted {
  readonly role: PartitionRole;
  readonly name: string;
  /** Undefined for what takes the rest; there is at most one. */
  readonly lengthBytes: number | undefined;
}

/** In their order on the disk: what takes the rest is the last. */
function partitionsOf(
  { table, root, swap, partitions, lvm, bootLoader }: DiskLayout,
  firmware: DiskFacts['firmware'],
): readonly Wanted[] {
  const needsBiosBoot = firmware === 'bios' && table === 'gpt' && bootLoader === 'grub';
  const lengthOf = (size: string | undefined): number | undefined =>
    size === undefined ? undefined : bytesOf(size);
  return [
    ...(needsBiosBoot ? [{ role: 'bios-boot', name: 'bios-boot', lengthBytes: BIOS_BOOT } as const] : []),
    ...(firmware === 'uefi' ? [{ role: 'esp', name: 'esp', lengthBytes: ESP } as const] : []),
    ...(swap === undefined ? [] : [{ role: 'swap', name: 'swap', lengthBytes: bytesOf(swap) } as const]),
    ...partitions.map(({ name, size }) => ({ role: 'extra', name, lengthBytes: bytesOf(size) }) as const),
    { role: 'root', name: 'root', lengthBytes: lengthOf(root.size) },
    ...(lvm ? [{ role: 'lvm', name: lvm.group, lengthBytes: undefined } as const] : []),
  ];
}

type Placed = Wanted & { readonly number: number; readonly startBytes: number; readonly lengthBytes: number };

function place(wanted: readonly Wanted[], disk: Disk, rootNeeds: number): readonly Placed[] | Refusal {
  const room = Math.floor((disk.sizeBytes - TAIL) / ALIGNMENT) * ALIGNMENT;
  const fixed = wanted.reduce((sum, { lengthBytes = 0 }) => sum + lengthBytes, ALIGNMENT);
  const rest = wanted.find(({ lengthBytes }) => lengthBytes === undefined);
  const restLeast = rest === undefined ? 0 : rest.role === 'root' ? rootNeeds : ALIGNMENT;
  if (fixed + restLeast > room)
    return refusal('disk_too_small', {
      disk: diskText(disk),
      size: sizeText(disk.sizeBytes),
      needed: sizeText(fixed + restLeast + TAIL),
    });
  const placed: Placed[] = [];
  let startBytes = ALIGNMENT;
  for (const [index, each] of wanted.entries()) {
    const lengthBytes = each.lengthBytes ?? room - fixed;
    placed.push({ ...each, number: index + 1, startBytes, lengthBytes });
    startBytes += lengthBytes;
  }
  return placed;
}

function plannedDisk(disk: Disk, placed: readonly Placed[], identity: string): PlannedDisk {
  const { name, model, serial, wwn, byPath, sizeBytes, sectorBytes } = disk;
  return {
    name,
    disk: {
      byPath,
      sizeBytes,
      sectorBytes,
      ...(model === undefined ? {} : { model }),
      ...(serial === undefined ? {} : { serial }),
      ...(wwn === undefined ? {} : { wwn }),
    },
    tableUuid: identityUuid(identity),
    partitions: placed.map((each) => ({ ...each, uuid: identityUuid(`${identity} ${each.name}`) })),
  };
}

function groupOf({ lvm, disks }: DiskLayout, placed: readonly Placed[]): DiskPlan['group'] | Refusal {
  const partition = placed.find(({ role }) => role === 'lvm');
  if (!lvm || !partition) return undefined;
  const volumes = lvm.volumes.map(({ name, size }) => ({ name, lengthBytes: bytesOf(size) }));
  const needed = volumes.reduce((sum, { lengthBytes }) => sum + Math.ceil(lengthBytes / EXTENT) * EXTENT, 0);
  const mirrorSpare = disks.length === 2 ? MIRROR_SPARE_MOST : 0;
  // What does not fill an extent at the end is nobody's.
  const size = partition.lengthBytes - mirrorSpare - 2 * EXTENT;
  if (needed > size)
    return refusal('volumes_too_large', { needed: sizeText(needed), size: sizeText(Math.max(size, 0)) });
  return { name: lvm.group, volumes };
}

function fileSystemsOf(
  { root, partitions, lvm }: DiskLayout,
  placed: readonly Placed[],
  identity: string,
): readonly PlannedFileSystem[] {
  const made = (
    kind: 'partition' | 'volume',
    name: string,
    type: PlannedFileSystem['type'],
    mount: string | undefined,
  ): PlannedFileSystem => ({ on: { kind, name }, type, mount, uuid: identityUuid(`${identity} fs ${name}`) });
  const has = (role: PartitionRole): boolean => placed.some((each) => each.role === role);
  return [
    made('partition', 'root', root.fileSystem, '/'),
    ...(has('esp') ? [made('partition', 'esp', 'vfat', '/boot/efi')] : []),
    ...(has('swap') ? [made('partition', 'swap', 'swap', undefined)] : []),
    ...partitions.map(({ name, fileSystem, mount }) => made('partition', name, fileSystem, mount)),
    ...(lvm?.volumes ?? []).map(({ name, fileSystem, mount }) => made('volume', name, fileSystem, mount)),
  ];
}
