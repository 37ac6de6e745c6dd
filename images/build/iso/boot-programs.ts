import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { type Build, runStep } from '../builder-steps.ts';
import { problem } from '../problems.ts';

/** GRUB for BIOS, of Debian's grub-pc-bin. */
export const GRUB_PC = '/usr/lib/grub/i386-pc';

/**
 * What UEFI firmware loads, by name on the EFI system partition. Microsoft signed the shim, and Debian GRUB:
 * Secure Boot may stay on. Of Debian's GRUBs the one for media, which looks for its configuration on
 * the partition that it comes from (/boot/grub).
 */
const EFI_PROGRAMS: Readonly<Record<string, string>> = {
  'BOOTX64.EFI': '/usr/lib/shim/shimx64.efi.signed',
  'grubx64.efi': '/usr/lib/grub/x86_64-efi-signed/gcdx64.efi.signed',
  'mmx64.efi': '/usr/lib/shim/mmx64.efi.signed',
};

/** @throws Problem `tool_missing`, or `medium_architecture`: before anything is built. */
export async function checkBootPrograms(architecture: string): Promise<void> {
  if (architecture !== 'amd64')
    throw problem('medium_architecture', { field: 'architecture', facts: { architecture } });
  const files = [
    [join(GRUB_PC, 'boot_hybrid.img'), 'grub-pc-bin'],
    [EFI_PROGRAMS['BOOTX64.EFI'] ?? '', 'shim-signed'],
    [EFI_PROGRAMS['grubx64.efi'] ?? '', 'grub-efi-amd64-signed'],
    ['/usr/bin/grub-mkimage', 'grub-common'],
    ['/usr/bin/mcopy', 'mtools'],
  ] as const;
  for (const [file, debianPackage] of files)
    await access(file).catch((cause) => {
      throw problem('tool_missing', { facts: { tool: file, package: debianPackage }, cause });
    });
}

/**
 * Makes an EFI system partition as a file.
 * @param bytes of the whole; what is put there takes 5 MB.
 * @param serial of the FAT, 32 bits: any, but the same for the same release.
 * @param configFile becomes /boot/grub/grub.cfg.
 */
export async function writeEfiPartition(
  build: Build,
  file: string,
  options: {
    readonly bytes: number;
    readonly serial: number;
    readonly configFile: string;
    readonly epoch: number;
  },
): Promise<void> {
  const { bytes, serial, configFile, epoch } = options;
  // mtools read it for the times that they write.
  const environment = { SOURCE_DATE_EPOCH: String(epoch), TZ: 'UTC', MTOOLS_SKIP_CHECK: '1' };
  const step = (command: string, ...list: string[]): Promise<void> =>
    runStep(build, { command, package: 'mtools', arguments: list, environment });
  await runStep(build, {
    command: 'truncate',
    package: 'coreutils',
    arguments: [`--size=${bytes}`, file],
  });
  const hex = (serial >>> 0).toString(16).padStart(8, '0');
  await step('mformat', '-i', file, '-T', String(bytes / 512), '-N', hex, '-v', 'EFI', '::');
  await step('mmd', '-i', file, '::/EFI', '::/EFI/BOOT', '::/boot', '::/boot/grub');
  for (const [name, path] of Object.entries(EFI_PROGRAMS))
    await step('mcopy', '-i', file, path, `::/EFI/BOOT/${name}`);
  await step('mcopy', '-i', file, configFile, '::/boot/grub/grub.cfg');
}

/** GRUB for BIOS with all that it takes to find the medium and read its menu: no modules lie beside it. */
export async function makeBiosImage(
  build: Build,
  format: 'i386-pc' | 'i386-pc-eltorito',
  configFile: string,
  file: string,
): Promise<void> {
  const list = ['-O', format, '-d', GRUB_PC, '-p', '/boot/grub', '-c', configFile, '-o', file];
  await runStep(build, {
    command: 'grub-mkimage',
    package: 'grub-common',
    arguments: [...list, ...BIOS_MODULES],
  });
}

const BIOS_MODULES = [
  ...['biosdisk', 'iso9660', 'ext2', 'part_gpt', 'part_msdos'],
  ...['search', 'search_fs_file', 'configfile', 'normal', 'linux', 'minicmd', 'test', 'serial', 'terminal'],
];
