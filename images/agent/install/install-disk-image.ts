import { readdir } from 'node:fs/promises';
import { findArtefact, type Manifest } from '@bootswarm/images/format';
import type { DevicePaths, DiskPlan } from '@bootswarm/images/install';
import { giveBack } from './boot-code.ts';
import { OWN_ENTRY, writeBootEntries } from './boot-loader.ts';
import { mountRootOf, type WrittenImage, writeDiskImage, writeHead } from './disk-image.ts';
import { partitionsIn } from './disk-tables.ts';
import { syncDisks } from './disks.ts';
import type { FetchParts } from './fetch-root.ts';
import { ImageHold } from './image-hold.ts';
import type { Mounts } from './mounts.ts';
import { NewSystem, requireNoLack } from './new-system.ts';
import { problem } from './problems.ts';
import type { Progress } from './progress.ts';
import { forgetCaches, requireWritten } from './read-back.ts';
import type { Programs } from './run-program.ts';
import { machineChanges } from './system/configure.ts';
import { LOADERS } from './system/efi-boot.ts';
import { machineLack } from './system/needs.ts';
import type { InstallTerms } from './terms.ts';

export interface DiskImageParts extends FetchParts {
  readonly order: InstallTerms;
  readonly progress: Progress;
  readonly programs: Programs;
  readonly mounts: Mounts;
  /** Where the new system is mounted while it is made. */
  readonly target: string;
}

/**
 * Installs the image of a disk. Until all of the image is on the disk and was read back, the disk has an empty table by
 * which a second try knows it; until its system is made, there is nothing by which firmware starts it.
 * @param manifest of a release with a disk.
 * @throws Problem of problems.ts, and as fetchPieces.
 */
export async function installDiskImage(
  manifest: Manifest,
  plan: DiskPlan,
  paths: DevicePaths,
  parts: DiskImageParts,
): Promise<void> {
  const { progress, mounts, signal, say } = parts;
  const [path = ''] = paths.disks;
  const tableUuid = plan.disks[0]?.tableUuid ?? '';
  await markBegun(path, tableUuid, parts);
  await syncDisks(paths, parts);
  const image = await write(manifest, { path, bytes: plan.disks[0]?.disk.sizeBytes ?? 0 }, parts);
  await readBackAll(path, image, parts);
  await showPartitions(path, tableUuid, parts);

  progress.begin('configure', 'make it the system of this machine');
  await makeSystem(path, parts);
  progress.begin('unmount', 'let the disk have all of it');
  await mounts.unmount(signal);
  await syncDisks(paths, parts);
  progress.begin('boot-entry', 'let the firmware start it');
  // Where a hook has put a boot loader of its own, that stays.
  await giveBack(path, image.held);
  await syncDisks(paths, parts);
  if (plan.firmware === 'bios') return;
  const esp = partitionsIn(image.head).find(({ isEsp }) => isEsp);
  if (!esp) return say('the image has no EFI system partition: the firmware is told of none');
  const entry = { label: OWN_ENTRY, disk: path, partition: esp.number, loader: LOADERS.removable };
  await writeBootEntries([entry], parts);
}

/** A table without partitions, with the identity that this installation gives it. It keeps the code of the MBR. */
async function markBegun(
  path: string,
  tableUuid: string,
  { programs, signal }: DiskImageParts,
): Promise<void> {
  const what = `forget what was on ${path}`;
  await programs.run(['wipefs', '--all', '--force', path], { what, signal });
  await programs.run(['sfdisk', '--wipe', 'never', '--no-reread', path], {
    what,
    signal,
    stdin: `label: gpt\nlabel-id: ${tableUuid}\n`,
  });
}

async function write(
  manifest: Manifest,
  disk: { readonly path: string; readonly bytes: number },
  parts: DiskImageParts,
): Promise<WrittenImage> {
  const { progress, mounts } = parts;
  const artefact = findArtefact(manifest, 'disk');
  if (!artefact) throw new TypeError('the release has no disk');
  const hold = new ImageHold(parts, mounts);
  const pieces = await hold.piecesOf(artefact);
  progress.begin('unpack', `${artefact.name} to ${disk.path}`);
  const image = await writeDiskImage(artefact, manifest, disk, { ...parts, pieces });
  await hold.letGo();
  return image;
}

/** Before anything is mounted, which would change it. The head is the last that is written, and appears with that. */
async function readBackAll(
  path: string,
  { head, blocks }: WrittenImage,
  parts: DiskImageParts,
): Promise<void> {
  const { progress } = parts;
  progress.begin('read-back', `what was written to ${path}`);
  await forgetCaches();
  await requireWritten(path, blocks, parts);
  const block = await writeHead(path, head);
  await syncDisks({ disks: [path] }, parts);
  await forgetCaches();
  await requireWritten(path, [block], parts);
}

async function showPartitions(path: string, tableUuid: string, parts: DiskImageParts): Promise<void> {
  const { programs, signal, say } = parts;
  const table = await programs.run(['blkid', '-p', '-o', 'value', '-s', 'PTTYPE', path], {
    what: `look at ${path}`,
    signal,
    fine: [2, 8],
  });
  // The image ends before the disk does, and the second table belongs to the end: UEFI 2.10, section 5.3.1. Whoever tries
  // again after a power cut knows the disk by its GUID. The signature of an MBR stays: roots are named by it.
  if (table.stdout.trim() === 'gpt')
    await programs.run(['sgdisk', '--move-second-header', `--disk-guid=${tableUuid}`, path], {
      what: 'move the second table',
      signal,
      say,
    });
  await programs.run(['blockdev', '--rereadpt', path], { what: 'read the partitions again', signal });
}

async function makeSystem(path: string, parts: DiskImageParts): Promise<void> {
  const { order, progress, programs, mounts, target, say, signal } = parts;
  const root = await mountRootOf(await partitionsOf(path), target, parts);
  if (!root) throw problem('image_root_not_found', { facts: { release: order.release } });
  requireNoLack(machineLack(root, order.profile));
  await root.apply(machineChanges(root, order));
  const { after } = order.profile.hooks;
  const system = new NewSystem(root, programs, say, signal);
  await system.open(mounts);
  if (root.has('/usr/bin/ssh-keygen')) await system.run('make host keys', ['ssh-keygen', '-A']);
  if (after.length === 0) return;
  progress.begin('hooks-after', `${after.length} hooks`);
  await system.hooks(after);
}

/** Devices of the partitions that a disk has now. */
async function partitionsOf(disk: string): Promise<readonly string[]> {
  const name = disk.slice('/dev/'.length);
  const entries = await readdir(`/sys/block/${name}`);
  return entries
    .filter((entry) => entry.startsWith(name))
    .toSorted((a, b) => a.localeCompare(b, 'en', { numeric: true }))
    .map((entry) => `/dev/${entry}`);
}
