import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ARTEFACT_NAMES } from '../build-folder.ts';
import { type Build, runStep } from '../builder-steps.ts';
import { makeBiosImage, writeEfiPartition } from './boot-programs.ts';
import { type MediumRelease, markPath, menuConfig, searchConfig } from './grub-config.ts';
import type { InstallEntry } from './install-entry.ts';
import { ISO_PATHS, isoMenu, xorrisoArguments } from './iso-plan.ts';

/** The programs take 5 MB of it. */
const EFI_BYTES = 8 * 1024 ** 2;

/**
 * Writes an ISO with kernel, initramfs and root of the result, which boots on BIOS and on UEFI with or
 * without Secure Boot, as a CD and as a disk. The same input gives the same bytes.
 */
export async function writeIso(
  build: Build,
  release: MediumRelease,
  epoch: number,
  install?: InstallEntry,
): Promise<void> {
  build.onProgress({ stage: 'media', message: ARTEFACT_NAMES.iso });
  const { result, scratch } = build.work;
  const folder = join(scratch, 'iso');
  await mkdir(folder);
  const made = (name: string): string => join(folder, name);
  await writeFile(made('search.cfg'), searchConfig(release));
  const live = isoMenu(release);
  const menu = install === undefined ? live : [...live, install.entry];
  await writeFile(made('grub.cfg'), menuConfig(menu, install?.isDefault === true ? live.length : 0));
  await writeFile(made('mark'), `${release.name} ${release.version} ${release.architecture}\n`);
  await makeBiosImage(build, 'i386-pc-eltorito', made('search.cfg'), made('eltorito.img'));
  const serial = createHash('sha256').update(markPath(release)).digest().readUInt32LE(0);
  const configFile = made('search.cfg');
  await writeEfiPartition(build, made('efi.img'), { bytes: EFI_BYTES, serial, configFile, epoch });

  const files = {
    [ISO_PATHS.kernel]: join(result, ARTEFACT_NAMES.kernel),
    [ISO_PATHS.initramfs]: join(result, ARTEFACT_NAMES.initramfs),
    [ISO_PATHS.root]: join(result, ARTEFACT_NAMES.root),
    [ISO_PATHS.eltorito]: made('eltorito.img'),
    [ISO_PATHS.menu]: made('grub.cfg'),
    [markPath(release)]: made('mark'),
    ...install?.files,
  };
  await runStep(build, {
    command: 'xorriso',
    package: 'xorriso',
    arguments: xorrisoArguments({
      release,
      files,
      efiPartition: made('efi.img'),
      iso: join(result, ARTEFACT_NAMES.iso),
      epoch,
    }),
    environment: { SOURCE_DATE_EPOCH: String(epoch), TZ: 'UTC' },
  });
}
