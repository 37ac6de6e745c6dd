import { createHash } from 'node:crypto';
import { copyFile, mkdir, open, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ARTEFACT_NAMES } from '../build-folder.ts';
import { type Build, runOnTree, runStep } from '../builder-steps.ts';
import { GRUB_PC, makeBiosImage, writeEfiPartition } from '../iso/boot-programs.ts';
import { type MediumRelease, markPath, menuConfig, searchConfig } from '../iso/grub-config.ts';
import { mksquashfsArguments } from '../plan.ts';
import { bootCode, placedCore } from './bios-boot.ts';
import {
  diskLayout,
  diskMenu,
  type Extent,
  fstab,
  partitionTable,
  SECTOR_BYTES,
  uuidOf,
} from './disk-plan.ts';

/**
 * Writes a raw disk, packed, with the system of `root` installed on it, for BIOS and UEFI. Nothing is
 * mounted, and no loop device is taken. It uses up the tree.
 */
export async function writeDisk(
  build: Build,
  root: string,
  release: MediumRelease,
  epoch: number,
): Promise<void> {
  build.onProgress({ stage: 'media', message: ARTEFACT_NAMES.disk });
  const { result, scratch } = build.work;
  const folder = join(scratch, 'disk');
  await mkdir(folder);
  const made = (name: string): string => join(folder, name);
  await writeFile(made('search.cfg'), searchConfig(release));
  await prepareTree(build, root, release);
  await makeBiosImage(build, 'i386-pc', made('search.cfg'), made('core.img'));

  await runOnTree(build, 'size', [root, made('size')]);
  const layout = diskLayout(Number(await readFile(made('size'), 'utf8')));
  const serial = createHash('sha256').update(markPath(release)).digest().readUInt32LE(0);
  const configFile = made('search.cfg');
  await writeEfiPartition(build, made('efi.img'), { bytes: layout.efi.bytes, serial, configFile, epoch });
  const id = uuidOf(release, 'filesystem');
  await runStep(build, {
    command: 'mke2fs',
    package: 'e2fsprogs',
    arguments: [
      ...['-q', '-t', 'ext4', '-L', 'root', '-U', id, '-E', `hash_seed=${id},root_owner=0:0`, '-m', '0'],
      ...['-d', root, made('root.ext4'), `${layout.root.bytes / 1024}k`],
    ],
    environment: { SOURCE_DATE_EPOCH: String(epoch), E2FSPROGS_FAKE_TIME: String(epoch) },
  });

  const disk = made('disk.raw');
  await writeFile(made('table'), partitionTable(layout, release));
  await runStep(build, {
    command: 'sh',
    package: 'fdisk',
    arguments: [
      '-euc',
      'truncate --size="$1" "$2"; sfdisk --quiet --no-reread --no-tell-kernel "$2" < "$3"',
      'sh',
      String(layout.bytes),
      disk,
      made('table'),
    ],
  });
  await place(build, made('efi.img'), disk, layout.efi);
  await place(build, made('root.ext4'), disk, layout.root);
  await placeBootCode(made('core.img'), disk, layout.bios);
  await rm(made('root.ext4'));
  await runStep(build, {
    command: 'zstd',
    package: 'zstd',
    arguments: ['-q', '-T0', disk, '-o', join(result, ARTEFACT_NAMES.disk)],
  });
}

/** What an installed system has that a live one does not, and the other way round. */
async function prepareTree(build: Build, root: string, release: MediumRelease): Promise<void> {
  const { result, scratch } = build.work;
  await rename(join(scratch, 'usr/usr'), join(root, 'usr'));
  const list = mksquashfsArguments('', '');
  await runOnTree(build, 'prune', [root, ...list.slice(list.indexOf('-e') + 1)]);
  const files: Readonly<Record<string, string>> = {
    '/boot/grub/grub.cfg': menuConfig(diskMenu(release)),
    '/etc/fstab': fstab(release),
    [markPath(release)]: '',
  };
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text);
  }
  await mkdir(join(root, 'boot/efi'), { recursive: true });
  await copyFile(join(result, ARTEFACT_NAMES.kernel), join(root, 'boot/vmlinuz'));
  await copyFile(join(result, ARTEFACT_NAMES.initramfs), join(root, 'boot/initrd.img'));
}

function place(build: Build, file: string, disk: string, { start }: Extent): Promise<void> {
  const list = [`if=${file}`, `of=${disk}`, 'bs=1M', `seek=${start / 1024 ** 2}`, 'conv=notrunc,sparse'];
  return runStep(build, { command: 'dd', package: 'coreutils', arguments: [...list, 'status=none'] });
}

async function placeBootCode(coreFile: string, disk: string, bios: Extent): Promise<void> {
  const sector = bios.start / SECTOR_BYTES;
  const code = bootCode(await readFile(join(GRUB_PC, 'boot.img')), sector);
  const core = placedCore(await readFile(coreFile), sector);
  if (core.length > bios.bytes) throw new RangeError('GRUB is larger than its partition');
  await using handle = await open(disk, 'r+');
  await handle.write(code, 0, code.length, 0);
  await handle.write(core, 0, core.length, bios.start);
}
