import { createHash } from 'node:crypto';
import { type MediumRelease, type MenuEntry, markPath } from '../iso/grub-config.ts';
import { LIVE_BOOT_ARGUMENT } from '../plan.ts';

export const SECTOR_BYTES = 512;
const MIB = 1024 ** 2;
/** For the programs of UEFI, and what an update of them takes. */
const EFI_BYTES = 64 * MIB;
/** What a system needs to work on: logs, and a new kernel. It grows with the disk by growpart and resize2fs. */
const FREE_BYTES = 256 * MIB;

/** Of a partition, in bytes; both are whole MiB. */
export interface Extent {
  readonly start: number;
  readonly bytes: number;
}

/** A GPT disk for BIOS and UEFI: GRUB's core, its EFI programs, and the system. */
export interface DiskLayout {
  readonly bios: Extent;
  readonly efi: Extent;
  readonly root: Extent;
  /** With the second GPT at the end. */
  readonly bytes: number;
}

/** @param treeBytes what the files of the system take. ext4 adds a tenth for its own, and reserves nothing. */
export function diskLayout(treeBytes: number): DiskLayout {
  const bios = { start: MIB, bytes: MIB };
  const efi = { start: bios.start + bios.bytes, bytes: EFI_BYTES };
  const rootBytes = Math.ceil((treeBytes * 1.1 + FREE_BYTES) / MIB) * MIB;
  const root = { start: efi.start + efi.bytes, bytes: rootBytes };
  return { bios, efi, root, bytes: root.start + root.bytes + MIB };
}

/** A UUID (RFC 9562, version 8) that is the same for the same release and part. */
export function uuidOf(release: MediumRelease, part: string): string {
  const hash = createHash('sha256')
    .update(`${markPath(release)} ${part}`)
    .digest('hex');
  return [
    hash.slice(0, 8),
    hash.slice(8, 12),
    `8${hash.slice(13, 16)}`,
    `8${hash.slice(17, 20)}`,
    hash.slice(20, 32),
  ].join('-');
}

/** Input of sfdisk(8). The types are those of the UEFI and of the Discoverable Partitions specification. */
export function partitionTable(layout: DiskLayout, release: MediumRelease): string {
  const line = (name: string, { start, bytes }: Extent, type: string): string =>
    [
      `start=${start / SECTOR_BYTES}`,
      `size=${bytes / SECTOR_BYTES}`,
      `type=${type}`,
      `name=${name}`,
      `uuid=${uuidOf(release, name)}`,
    ].join(', ');
  return [
    'label: gpt',
    `label-id: ${uuidOf(release, 'disk')}`,
    line('bios', layout.bios, '21686148-6449-6E6F-744E-656564454649'),
    line('efi', layout.efi, 'C12A7328-F81F-11D2-BA4B-00A0C93EC93B'),
    line('root', layout.root, '4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709'),
    '',
  ].join('\n');
}

/** The system is started from its own file system: not as a live one. */
export function diskMenu(release: MediumRelease): MenuEntry[] {
  const own = release.kernelArguments.filter((argument) => argument !== LIVE_BOOT_ARGUMENT);
  return [
    {
      title: `${release.name} ${release.version}`,
      kernel: '/boot/vmlinuz',
      initramfs: '/boot/initrd.img',
      arguments: [`root=UUID=${uuidOf(release, 'filesystem')}`, 'ro', ...own],
    },
  ];
}

/** fstab(5). The image boots on firmware that sees no EFI partition as well. */
export function fstab(release: MediumRelease): string {
  return `UUID=${uuidOf(release, 'filesystem')} / ext4 defaults 0 1\nPARTUUID=${uuidOf(release, 'efi')} /boot/efi vfat umask=0077,nofail 0 2\n`;
}
