import { existsSync } from 'node:fs';
import { mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type DevicePaths,
  type DiskPlan,
  deviceOf,
  diskCommands,
  fstabId,
  partitionPath,
} from '@bootswarm/images/install';
import { problem } from './problems.ts';
import type { Programs } from './run-program.ts';

const LVM_FOLDER = '/run/bootswarm/lvm';
const READY_SECONDS = 30;
const BY_UUID = '/dev/disk/by-uuid';

/** The mini image has no udev: volumes and arrays make their device files by themselves. lvm.conf(5), mdadm(8). */
const LVM_CONFIG = `devices { obtain_device_list_from_udev = 0 external_device_info_source = "none" use_devicesfile = 0 }
activation { udev_sync = 0 udev_rules = 0 verify_udev_operations = 0 monitoring = 0 }
global { use_lvmpolld = 0 event_activation = 0 }
`;

interface DiskWork {
  readonly programs: Programs;
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
}

/** Environment of programs that deal with volumes and arrays. */
async function diskEnvironment(): Promise<Readonly<Record<string, string>>> {
  await mkdir(LVM_FOLDER, { recursive: true });
  await writeFile(`${LVM_FOLDER}/lvm.conf`, LVM_CONFIG);
  return { ...(process.env as Record<string, string>), LVM_SYSTEM_DIR: LVM_FOLDER, MDADM_NO_UDEV: '1' };
}

/** What the kernel would ask for by itself where it knew where modprobe is. */
const DRIVERS = [
  'loop',
  'squashfs',
  'isofs',
  'ext4',
  'xfs',
  'vfat',
  'nls_cp437',
  'nls_ascii',
  'dm_mod',
  'raid1',
];

/** Loads what an installation may need; what a kernel has not, or has in itself, is passed over. */
export async function loadDrivers({ programs, signal }: DiskWork): Promise<void> {
  for (const driver of DRIVERS)
    await programs
      .run(['modprobe', '-q', driver], { what: `load ${driver}`, signal })
      .catch(() => signal.throwIfAborted());
}

/** Makes disks what a plan says. From its first command on, what was on them is gone. */
export async function prepareDisks(
  plan: DiskPlan,
  paths: DevicePaths,
  { programs, say, signal }: DiskWork,
): Promise<void> {
  const env = await diskEnvironment();
  for (const { what, argv, stdin } of diskCommands(plan, paths)) {
    say(what);
    await programs.run(argv, { what, signal, env, ...(stdin === undefined ? {} : { stdin }) });
    if (argv[0] === 'blockdev') await partitionsReady(plan, paths, argv[argv.length - 1] ?? '', signal);
  }
  await nameByUuid(plan, paths);
}

/** Stops whatever array and volume runs: of a try before, and, at the end, of this one. Nothing else uses them here. */
export async function releaseDisks({ programs, signal }: DiskWork): Promise<void> {
  const env = await diskEnvironment();
  const run = (...argv: readonly [string, ...string[]]): Promise<unknown> =>
    // Where there is none they fail, or do not: nothing is to be told from that.
    programs.run(argv, { what: 'release the disks', signal, env }).catch(() => signal.throwIfAborted());
  await run('vgchange', '--activate', 'n');
  await run('mdadm', '--stop', '--scan');
}

/** Resolves once disks have all that was written, and their next reads ask them. @throws Problem program_failed */
export async function syncDisks(
  { disks }: DevicePaths,
  { programs, signal }: Pick<DiskWork, 'programs' | 'signal'>,
): Promise<void> {
  await programs.run(['sync'], { what: 'write all of it', signal });
  for (const disk of disks)
    await programs.run(['blockdev', '--flushbufs', disk], { what: `write all of ${disk}`, signal });
}

/** Lines for mdadm.conf(5) of the arrays of a plan. */
export async function arrayLines(plan: DiskPlan, { programs, signal }: DiskWork): Promise<readonly string[]> {
  if (plan.disks.length < 2) return [];
  const env = await diskEnvironment();
  const partitions = plan.disks[0]?.partitions ?? [];
  const mirrored = partitions.filter(({ role }) => role !== 'esp' && role !== 'bios-boot');
  const lines: string[] = [];
  for (const { name } of mirrored) {
    const argv = ['mdadm', '--detail', '--brief', `/dev/md/${name}`] as const;
    lines.push((await programs.run(argv, { what: `ask for mirror ${name}`, signal, env })).stdout.trim());
  }

  return lines;
}

async function partitionsReady(
  plan: DiskPlan,
  { disks }: DevicePaths,
  disk: string,
  signal: AbortSignal,
): Promise<void> {
  const partitions = plan.disks[disks.indexOf(disk)]?.partitions ?? [];
  const devices = partitions.map(({ number }) => partitionPath(disk, number));
  const deadline = performance.now() + READY_SECONDS * 1000;
  for (;;) {
    const device = devices.find((each) => !existsSync(each));
    if (device === undefined) return;
    if (performance.now() > deadline)
      throw problem('disk_not_ready', { facts: { device, disk, seconds: READY_SECONDS } });
    await sleep(100, undefined, { signal });
  }
}

/** As udev would: grub-mkconfig(8) and others write a device's kernel name where they do not find it here. */
async function nameByUuid(plan: DiskPlan, paths: DevicePaths): Promise<void> {
  await mkdir(BY_UUID, { recursive: true });
  for (const each of plan.fileSystems) {
    const place = `${BY_UUID}/${fstabId(each)}`;
    await rm(place, { force: true });
    await symlink(deviceOf(plan, each, paths), place);
  }
}
