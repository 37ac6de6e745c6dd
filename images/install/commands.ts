import type { DiskPlan, PlannedDisk, PlannedFileSystem, PlannedPartition } from './plan.ts';

/** One program to run, in order. Everything it is told stands in its arguments and its input: no shell reads it. */
export interface DiskCommand {
  /** For progress and the log. */
  readonly what: string;
  readonly argv: readonly [program: string, ...string[]];
  readonly stdin?: string;
}

/** Where a plan's disks and volumes are now. */
export interface DevicePaths {
  /** By the place of the disk in the plan: `/dev/nvme0n1`. Looked up again by serial and WWN just before. */
  readonly disks: readonly string[];
}

/** GPT partition types (UEFI 2.10, section 5.3.3; systemd's Discoverable Partitions) and the MBR's. */
const TYPES: Readonly<Record<PlannedPartition['role'], { readonly gpt: string; readonly mbr: string }>> = {
  'bios-boot': { gpt: '21686148-6449-6E6F-744E-656564454649', mbr: '83' },
  esp: { gpt: 'C12A7328-F81F-11D2-BA4B-00A0C93EC93B', mbr: 'ef' },
  swap: { gpt: '0657FD6D-A4AB-43C4-84E5-0933C84B4F4F', mbr: '82' },
  extra: { gpt: '0FC63DAF-8483-4772-8E79-3D69D8477DE4', mbr: '83' },
  root: { gpt: '0FC63DAF-8483-4772-8E79-3D69D8477DE4', mbr: '83' },
  lvm: { gpt: 'E6D6D379-F507-44C2-A23C-238F2A3DF928', mbr: '8e' },
};
const RAID = { gpt: 'A19D880F-05FC-4D3B-A006-743F0F84911E', mbr: 'fd' } as const;

/** All that makes disks what a plan says: tables, mirrors, volumes, file systems. Pure. */
export function diskCommands(plan: DiskPlan, paths: DevicePaths): readonly DiskCommand[] {
  return [
    ...plan.disks.flatMap((disk, index) => tableCommands(plan, disk, pathOf(paths, index))),
    ...(isMirror(plan) ? mirrorCommands(plan, paths) : []),
    ...groupCommands(plan, paths),
    ...plan.fileSystems.flatMap((each) => fileSystemCommands(plan, each, paths)),
  ];
}

/** Where a file system of the plan is mounted from. Of an EFI system partition in a mirror: the first disk's copy. */
export function deviceOf(plan: DiskPlan, { on }: Pick<PlannedFileSystem, 'on'>, paths: DevicePaths): string {
  if (on.kind === 'volume') return `/dev/${plan.group?.name}/${on.name}`;
  const partition = plan.disks[0]?.partitions.find(({ name }) => name === on.name);
  if (!partition) throw new TypeError(`the plan has no partition ${on.name}`);
  return blockDeviceOf(plan, partition, paths);
}

/** `/dev/sda` and 1 to `/dev/sda1`; `/dev/nvme0n1` and 1 to `/dev/nvme0n1p1`. */
export function partitionPath(disk: string, number: number): string {
  return `${disk}${/\d$/.test(disk) ? 'p' : ''}${number}`;
}

function tableCommands(plan: DiskPlan, disk: PlannedDisk, path: string): readonly DiskCommand[] {
  return [
    { what: `forget what was on ${path}`, argv: ['wipefs', '--all', '--force', path] },
    {
      what: `partition ${path}`,
      // Nothing is left to wipe but the code that makes a BIOS go on to the next disk.
      argv: ['sfdisk', '--wipe', 'never', '--wipe-partitions', 'always', '--no-reread', path],
      stdin: tableScript(plan, disk),
    },
    { what: `read the partitions of ${path} again`, argv: ['blockdev', '--rereadpt', path] },
  ];
}

/** sfdisk(8), "named-fields format". */
function tableScript(plan: DiskPlan, { disk, tableUuid, partitions }: PlannedDisk): string {
  const sectors = (bytes: number): number => bytes / disk.sectorBytes;
  const isGpt = plan.table === 'gpt';
  const head = isGpt
    ? ['label: gpt', `label-id: ${tableUuid}`]
    : ['label: dos', `label-id: 0x${tableUuid.slice(0, 8)}`];
  const lines = partitions.map((partition) => {
    const { role, name, startBytes, lengthBytes, uuid } = partition;
    const type = (isMirrored(plan, partition) ? RAID : TYPES[role])[plan.table];
    return [
      `start=${sectors(startBytes)}, size=${sectors(lengthBytes)}, type=${type}`,
      ...(isGpt ? [`uuid=${uuid}, name="${name}"`] : []),
      // A BIOS may pass over a disk without an active partition.
      ...(!isGpt && role === 'root' && plan.firmware === 'bios' ? ['bootable'] : []),
    ].join(', ');
  });
  return `${[...head, ...lines].join('\n')}\n`;
}

function mirrorCommands(plan: DiskPlan, paths: DevicePaths): readonly DiskCommand[] {
  const mirrored = (plan.disks[0]?.partitions ?? []).filter((partition) => isMirrored(plan, partition));
  return mirrored.map(({ name, number }) => ({
    what: `mirror ${name}`,
    argv: [
      'mdadm',
      ...['--create', `/dev/md/${name}`, '--run', '--level=1', `--raid-devices=${plan.disks.length}`],
      // Read by GRUB; its data begin behind it, so a member is never taken for what is on the array.
      ...['--metadata=1.2', '--bitmap=internal', '--homehost=any', `--name=${name}`],
      ...plan.disks.map((_, index) => partitionPath(pathOf(paths, index), number)),
    ],
  }));
}

function groupCommands(plan: DiskPlan, paths: DevicePaths): readonly DiskCommand[] {
  const { group } = plan;
  const partition = plan.disks[0]?.partitions.find(({ role }) => role === 'lvm');
  if (!group || !partition) return [];
  const device = blockDeviceOf(plan, partition, paths);
  return [
    { what: `make ${device} a physical volume`, argv: ['pvcreate', '--yes', '-ff', device] },
    { what: `make volume group ${group.name}`, argv: ['vgcreate', '--yes', group.name, device] },
    ...group.volumes.map(
      ({ name, lengthBytes }): DiskCommand => ({
        what: `make volume ${group.name}/${name}`,
        argv: [
          'lvcreate',
          ...['--yes', '--wipesignatures', 'y', '--zero', 'y'],
          ...['--name', name, '--size', `${lengthBytes}b`, group.name],
        ],
      }),
    ),
  ];
}

function fileSystemCommands(
  plan: DiskPlan,
  fileSystem: PlannedFileSystem,
  paths: DevicePaths,
): readonly DiskCommand[] {
  const { type, uuid, on } = fileSystem;
  const partition = plan.disks[0]?.partitions.find(({ name }) => on.kind === 'partition' && name === on.name);
  const devices =
    partition && isMirror(plan) && !isMirrored(plan, partition)
      ? plan.disks.map((_, index) => partitionPath(pathOf(paths, index), partition.number))
      : [deviceOf(plan, fileSystem, paths)];
  return devices.map((device) => ({
    what: `make ${type} on ${device}`,
    argv: makeArgv(type, uuid, on.name, device),
  }));
}

function makeArgv(
  type: PlannedFileSystem['type'],
  uuid: string,
  label: string,
  device: string,
): DiskCommand['argv'] {
  switch (type) {
    case 'ext4':
      return ['mkfs.ext4', '-q', '-F', '-L', label.slice(0, 16), '-U', uuid, device];
    case 'xfs':
      return ['mkfs.xfs', '-q', '-f', '-L', label.slice(0, 12), '-m', `uuid=${uuid}`, device];
    case 'vfat':
      return ['mkfs.vfat', '-F', '32', '-n', 'ESP', '-i', vfatId(uuid), device];
    case 'swap':
      return ['mkswap', '--force', '--label', label.slice(0, 16), '--uuid', uuid, device];
  }
}

/** How /etc/fstab names a vfat by its 32-bit serial number: `1A2B-3C4D`. Others by their UUID. */
export function fstabId({ type, uuid }: Pick<PlannedFileSystem, 'type' | 'uuid'>): string {
  if (type !== 'vfat') return uuid;
  const id = vfatId(uuid).toUpperCase();
  return `${id.slice(0, 4)}-${id.slice(4)}`;
}

function vfatId(uuid: string): string {
  return uuid.slice(0, 8);
}

function blockDeviceOf(plan: DiskPlan, partition: PlannedPartition, paths: DevicePaths): string {
  if (isMirrored(plan, partition)) return `/dev/md/${partition.name}`;
  return partitionPath(pathOf(paths, 0), partition.number);
}

function isMirror({ disks }: DiskPlan): boolean {
  return disks.length > 1;
}

/** Firmware reads its partitions without knowing of a mirror: each disk has its own. */
function isMirrored(plan: DiskPlan, { role }: PlannedPartition): boolean {
  return isMirror(plan) && role !== 'esp' && role !== 'bios-boot';
}

function pathOf({ disks }: DevicePaths, index: number): string {
  const path = disks[index];
  if (path === undefined) throw new TypeError(`no path of disk ${index}`);
  return path;
}
