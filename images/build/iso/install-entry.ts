import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  findArtefact,
  InstallMedium,
  type Manifest,
  MEDIUM_PATHS,
  mediumId,
  releaseId,
} from '@bootswarm/images/format';
import { ARTEFACT_NAMES, describeRelease, readBuildFolder } from '../build-folder.ts';
import type { Build } from '../builder-steps.ts';
import { buildMini, type MiniOptions } from '../mini/build-mini.ts';
import { problem } from '../problems.ts';
import type { MediumRelease, MenuEntry } from './grub-config.ts';
import { ISO_PATHS } from './iso-plan.ts';

/** A medium that installs its release to disk, without a network. */
export interface InstallFromMedium {
  /** An install profile of kind `image`, checked by the caller; its `release` may be left out. */
  readonly profile: Readonly<Record<string, unknown>>;
  /** A mini image as `buildMini` leaves it; one is built where it is not given. */
  readonly miniFolder?: string;
  /** From when the plan is on the console until it is carried out. */
  readonly waitSeconds: number;
  /** Whether the menu chooses it by itself, in the place of the live system. */
  readonly isDefault: boolean;
}

/** What the menu and the medium get for it. */
export interface InstallEntry {
  readonly entry: MenuEntry;
  readonly isDefault: boolean;
  /** Files on this host, by path on the medium. */
  readonly files: Readonly<Record<string, string>>;
}

/**
 * Describes what lies in the result so far as the release that the medium installs.
 * @throws Problem medium_release_another, medium_mini_unfit, those of build folders and of mini images.
 */
export async function prepareInstall(
  build: Build,
  release: Omit<Manifest, 'format' | 'artefacts'>,
  install: InstallFromMedium,
  ofMini: Pick<MiniOptions, 'mirror' | 'cacheFolder'>,
): Promise<InstallEntry> {
  const { work, signal } = build;
  const profile = profileFor(release, install.profile);
  const mini = await readMini(install.miniFolder ?? (await makeMini(build, ofMini)), release.architecture);
  const { kernel: kernelName, initramfs: initramfsName, root } = ARTEFACT_NAMES;
  const names = { kernel: kernelName, initramfs: initramfsName, root };
  const manifest = await describeRelease(work.result, release, { signal }, names);
  const document = mediumDocument(manifest, profile);
  const file = join(work.scratch, 'medium.json');
  await writeFile(file, document);
  return {
    entry: installEntry(release, mini.arguments, mediumId(document), install.waitSeconds),
    isDefault: install.isDefault,
    files: {
      [MEDIUM_PATHS.document]: file,
      [MEDIUM_PATHS.kernel]: mini.kernel,
      [MEDIUM_PATHS.initramfs]: mini.initramfs,
    },
  };
}

/**
 * Whether a medium of that release can be made, as far as that can be told before the release is there.
 * @throws as prepareInstall
 */
export async function checkInstall(
  release: Pick<Manifest, 'name' | 'version' | 'architecture'>,
  { profile, miniFolder }: InstallFromMedium,
): Promise<void> {
  profileFor(release, profile);
  if (miniFolder !== undefined) await readMini(miniFolder, release.architecture);
}

/** @throws Problem medium_mini_unfit, those of build folders. */
async function readMini(
  folder: string,
  architecture: string,
): Promise<{ readonly kernel: string; readonly initramfs: string; readonly arguments: readonly string[] }> {
  const { manifest, artefactPath } = await readBuildFolder(folder);
  const [kernel, initramfs] = [findArtefact(manifest, 'kernel'), findArtefact(manifest, 'initramfs')];
  if (manifest.bootStyle !== 'mini' || manifest.architecture !== architecture || !kernel || !initramfs)
    throw problem('medium_mini_unfit', { facts: { folder, found: releaseId(manifest), architecture } });
  return {
    kernel: artefactPath(kernel),
    initramfs: artefactPath(initramfs),
    arguments: manifest.kernelArguments,
  };
}

/** @throws Problem medium_release_another */
export function profileFor(
  release: Pick<Manifest, 'name' | 'version' | 'architecture'>,
  profile: InstallFromMedium['profile'],
): InstallMedium['profile'] {
  const own = releaseId(release);
  const wanted = profile['release'] ?? own;
  if (wanted !== own)
    throw problem('medium_release_another', {
      field: 'release',
      facts: { wanted: String(wanted), release: own },
    });
  return { ...profile, release: own };
}

/** The content of `medium.json`. */
export function mediumDocument(manifest: Manifest, profile: InstallMedium['profile']): string {
  const files: InstallMedium['files'] = {};
  for (const [role, path] of [
    ['kernel', ISO_PATHS.kernel],
    ['initramfs', ISO_PATHS.initramfs],
    ['root', ISO_PATHS.root],
  ] as const) {
    const artefact = findArtefact(manifest, role);
    if (artefact) files[artefact.name] = path;
  }
  return `${JSON.stringify(InstallMedium.parse({ format: 1, manifest, files, profile }))}\n`;
}

/** @param miniArguments of the mini image's own kernel. */
export function installEntry(
  { name, version }: Pick<MediumRelease, 'name' | 'version'>,
  miniArguments: readonly string[],
  id: string,
  waitSeconds: number,
): MenuEntry {
  return {
    title: `Install ${name} ${version} to disk`,
    kernel: MEDIUM_PATHS.kernel,
    initramfs: MEDIUM_PATHS.initramfs,
    arguments: [...miniArguments, `bootswarm.medium=${id}`, `bootswarm.wait=${waitSeconds}`],
  };
}

/** For any hardware. It trusts nobody: what it installs is on the medium that it comes from. */
async function makeMini(
  { work, signal, onProgress }: Build,
  ofMini: Pick<MiniOptions, 'mirror' | 'cacheFolder'>,
): Promise<string> {
  const outFolder = join(work.scratch, 'mini');
  await buildMini({
    ...ofMini,
    flavour: 'full',
    suite: 'bookworm',
    outFolder,
    signal,
    onProgress: ({ message, fraction }) =>
      onProgress({
        stage: 'media',
        message: `mini image${message === undefined ? '' : `: ${message}`}`,
        ...(fraction === undefined ? {} : { fraction }),
      }),
  });
  return outFolder;
}
