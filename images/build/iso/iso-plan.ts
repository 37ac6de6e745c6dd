import { join } from 'node:path';
import { GRUB_PC } from './boot-programs.ts';
import type { MediumRelease, MenuEntry } from './grub-config.ts';

/** Paths on the medium. live-boot takes any `*.squashfs` under /live. */
export const ISO_PATHS = {
  kernel: '/live/vmlinuz',
  initramfs: '/live/initrd.img',
  root: '/live/filesystem.squashfs',
  eltorito: '/boot/grub/eltorito.img',
  menu: '/boot/grub/grub.cfg',
} as const;

/** ISO 9660 section 8.4.7: 32 bytes; of the letters that every system can show. */
export function volumeLabel({ name, version }: MediumRelease): string {
  return `${name}_${version}`
    .toUpperCase()
    .replace(/[^A-Z0-9_]/g, '_')
    .slice(0, 32);
}

/** The live system from the medium, and from memory so that the medium can be taken out. */
export function isoMenu(release: MediumRelease): MenuEntry[] {
  const { name, version, kernelArguments } = release;
  const { kernel, initramfs } = ISO_PATHS;
  const title = `${name} ${version}`;
  return [
    { title, kernel, initramfs, arguments: kernelArguments },
    { title: `${title}, copied to memory`, kernel, initramfs, arguments: [...kernelArguments, 'toram'] },
  ];
}

export interface IsoParts {
  readonly release: MediumRelease;
  /** Files on this host, by path on the medium. */
  readonly files: Readonly<Record<string, string>>;
  readonly efiPartition: string;
  readonly iso: string;
  /** For every file, in seconds since 1970. */
  readonly epoch: number;
}

/**
 * Arguments of xorriso for a hybrid medium: as a CD by El Torito, for BIOS and for UEFI; as a disk by the
 * boot code in its first sector for BIOS, and by a GPT with an EFI system partition for UEFI.
 * The times in it, and its identifiers, follow SOURCE_DATE_EPOCH.
 */
export function xorrisoArguments({ release, files, efiPartition, iso, epoch }: IsoParts): string[] {
  return [
    ...['-as', 'mkisofs', '-quiet', '-iso-level', '3', '-rational-rock', '-volid', volumeLabel(release)],
    ...['-output', iso, '--set_all_file_dates', `=${epoch}`],
    // xorriso's manual, "Bootable ISO images for BIOS and EFI with GRUB".
    ...['--grub2-mbr', join(GRUB_PC, 'boot_hybrid.img'), '--mbr-force-bootable', '-partition_offset', '16'],
    ...['-append_partition', '2', '0xef', efiPartition, '-appended_part_as_gpt'],
    ...['-eltorito-boot', ISO_PATHS.eltorito, '-no-emul-boot'],
    ...['-boot-load-size', '4', '-boot-info-table', '--grub2-boot-info'],
    ...['-eltorito-alt-boot', '-e', '--interval:appended_partition_2:all::', '-no-emul-boot'],
    '-graft-points',
    ...Object.entries(files).map(([path, file]) => `${grafted(path)}=${grafted(file)}`),
  ];
}

/** `=` divides the two paths of a graft point. */
function grafted(path: string): string {
  return path.replaceAll('\\', '\\\\').replaceAll('=', '\\=');
}
