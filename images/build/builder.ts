import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Manifest } from '@bootswarm/images/format';
import { ARTEFACT_NAMES, writeManifest } from './build-folder.ts';
import { installBase, mirrorSource } from './builder-base.ts';
import { checkSources, configureRoot } from './builder-configure.ts';
import { installedVersions, LOCK_NAME, lockText, readLock } from './builder-lock.ts';
import { packRoot } from './builder-pack.ts';
import type { Build } from './builder-steps.ts';
import { BuildCache } from './cache.ts';
import { writeRootContents } from './contents.ts';
import { writeDisk } from './disk-image/write-disk.ts';
import { refuseForeign } from './foreign.ts';
import { checkBootPrograms } from './iso/boot-programs.ts';
import {
  checkInstall,
  type InstallEntry,
  type InstallFromMedium,
  prepareInstall,
} from './iso/install-entry.ts';
import { writeIso } from './iso/write-iso.ts';
import { LIVE_BOOT_ARGUMENT } from './plan.ts';
import { problem } from './problems.ts';
import type { BuildProgress } from './progress.ts';
import { readRecipe, type VariableValues } from './recipe.ts';
import { assembleFolder } from './work-folder.ts';

/** A hybrid ISO of the live system, or a raw disk with the system installed. */
type Medium = 'iso' | 'disk';

export interface BuildOptions {
  readonly recipeFile: string;
  /** Values for variables that the recipe declares. */
  readonly variables?: VariableValues;
  /** Where the build folder appears once it is complete. */
  readonly outFolder: string;
  readonly replace?: boolean;
  /** Address of a Debian mirror, in place of the host's own apt sources. */
  readonly mirror?: string;
  /** packages.lock of an earlier build, or its folder: the same versions are taken, or none. */
  readonly lock?: string;
  /** Bootable media to make beside what the network boots. */
  readonly media?: readonly Medium[];
  /** Makes the ISO one that installs, too. */
  readonly install?: InstallFromMedium;
  /** Folder of what earlier builds left for this one; none to build all of it. */
  readonly cacheFolder?: string;
  /**
   * Seconds since 1970 for whatever the build writes; else $SOURCE_DATE_EPOCH, else the time of the newest
   * file in the packages, which is the same for the same packages.
   */
  readonly sourceDateEpoch?: number;
  /** Stops the build; it then leaves no file, mount or process. The caller ties it to SIGINT. */
  readonly signal: AbortSignal;
  readonly onProgress: (progress: BuildProgress) => void;
}

/**
 * Builds a Debian live release from a recipe: packages, configuration, squashfs, manifest. The same recipe
 * and versions of packages give the same bytes.
 * Needs root, mmdebstrap and squashfs-tools.
 * @throws Problem of problems.ts. After `build_failed` or `step_failed` the log stays at the path it names.
 */
export async function buildImage(options: BuildOptions): Promise<Manifest> {
  const { signal, onProgress, cacheFolder, mirror } = options;
  const recipe = await readRecipe(options.recipeFile, options.variables);
  const recipeFolder = dirname(options.recipeFile);
  if (mirror !== undefined) mirrorSource(mirror);
  const lock = options.lock === undefined ? undefined : await readLock(options.lock);
  await checkSources(recipe, recipeFolder);
  if (process.getuid?.() !== 0) throw problem('not_root');
  await refuseForeign(recipe.architecture);
  const media = options.media ?? [];
  if (media.length > 0) await checkBootPrograms(recipe.architecture);
  if (options.install) await checkInstall(recipe, options.install);

  const cache = cacheFolder === undefined ? undefined : new BuildCache(cacheFolder);
  const stopped = (cause: unknown): never => {
    throw signal.aborted ? problem('build_stopped', { cause: signal.reason }) : cause;
  };
  return assembleFolder(options.outFolder, options.replace ?? false, async (work) => {
    const build: Build = { recipe, recipeFolder, work, cache, signal, onProgress };
    const base = await installBase(build, { mirror, lock });
    await writeFile(join(work.result, LOCK_NAME), lockText(recipe, await installedVersions(base.root)));
    const epoch = options.sourceDateEpoch ?? epochOfEnvironment() ?? base.packagesEpoch;
    const root = await configureRoot(build, base, epoch);
    await packRoot(build, root, epoch);
    await tellContents(build);
    await cache?.trim();
    const release = {
      name: recipe.name,
      version: recipe.version,
      architecture: recipe.architecture,
      bootStyle: 'live-boot' as const,
      kernelArguments: [LIVE_BOOT_ARGUMENT, ...recipe.kernelArguments],
    };
    if (media.includes('iso'))
      await writeIso(build, release, epoch, await installEntryOf(build, release, options));
    if (media.includes('disk')) await writeDisk(build, root.root, release, epoch);
    return writeManifest(work.result, release, {
      signal,
      onBytes: (bytes, ofBytes) => onProgress({ stage: 'hash', fraction: bytes / ofBytes }),
    });
  }).catch(stopped);
}

async function installEntryOf(
  build: Build,
  release: Omit<Manifest, 'format' | 'artefacts'>,
  { install, mirror, cacheFolder }: BuildOptions,
): Promise<InstallEntry | undefined> {
  if (install === undefined) return undefined;
  return prepareInstall(build, release, install, {
    ...(mirror === undefined ? {} : { mirror }),
    ...(cacheFolder === undefined ? {} : { cacheFolder }),
  });
}

async function tellContents({ work, signal, onProgress }: Build): Promise<void> {
  const { result } = work;
  onProgress({ stage: 'contents' });
  await writeRootContents(join(result, ARTEFACT_NAMES.root), join(result, ARTEFACT_NAMES.contents), signal);
}

/** https://reproducible-builds.org/docs/source-date-epoch/ */
function epochOfEnvironment(): number | undefined {
  const given = process.env['SOURCE_DATE_EPOCH'];
  return given !== undefined && /^\d+$/.test(given) ? Number(given) : undefined;
}
