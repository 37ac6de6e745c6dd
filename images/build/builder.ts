import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { constants, createWriteStream } from 'node:fs';
import { copyFile, mkdir, readdir, readFile, realpath, rename, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { finished } from 'node:stream/promises';
import { promisify } from 'node:util';
import type { Manifest } from '@bootswarm/images/format';
import { debianSources, proxyEnvironment, readSourceFiles } from './apt-sources.ts';
import { ARTEFACT_NAMES, writeManifest } from './build-folder.ts';
import { writeRootContents } from './contents.ts';
import { buildFailure } from './failure.ts';
import {
  configureSteps,
  LIVE_BOOT_ARGUMENT,
  mksquashfsArguments,
  mmdebstrapArguments,
  type PackageSource,
} from './plan.ts';
import { problem } from './problems.ts';
import { type BuildProgress, progressOf } from './progress.ts';
import { parseRecipe, type Recipe } from './recipe.ts';
import { runTool, type ToolRun } from './tool.ts';
import { assembleFolder, type WorkFolder } from './work-folder.ts';

export interface BuildOptions {
  readonly recipeFile: string;
  /** Where the build folder appears once it is complete. */
  readonly outFolder: string;
  readonly replace?: boolean;
  /** Address of a Debian mirror, in place of the host's own apt sources. */
  readonly mirror?: string;
  /** Seconds since 1970 for the image's timestamps; else $SOURCE_DATE_EPOCH, else when the recipe last changed. */
  readonly sourceDateEpoch?: number;
  /** Stops the build; it then leaves no file, mount or process. The caller ties it to SIGINT. */
  readonly signal: AbortSignal;
  readonly onProgress: (progress: BuildProgress) => void;
}

/**
 * Builds a Debian live release from a recipe: packages, configuration, squashfs, manifest.
 * Needs root, mmdebstrap and squashfs-tools.
 * @throws Problem of problems.ts. After `build_failed` or `step_failed` the log stays at the path it names.
 */
export async function buildImage(options: BuildOptions): Promise<Manifest> {
  const recipe = await readRecipe(options.recipeFile);
  const source = options.mirror === undefined ? undefined : mirrorSource(options.mirror);
  if (process.getuid?.() !== 0) throw problem('not_root');
  const stopped = (cause: unknown): never => {
    throw options.signal.aborted ? problem('build_stopped', { cause: options.signal.reason }) : cause;
  };
  return assembleFolder(options.outFolder, options.replace ?? false, async (work) => {
    const epoch = options.sourceDateEpoch ?? (await defaultEpoch(options.recipeFile));
    const stage = await stageSteps(recipe, dirname(options.recipeFile), work.scratch);
    const build = { recipe, work, epoch, stage, options };
    const root = await installPackages(build, source ?? (await hostSource(recipe, work.scratch)));
    await takeKernel(root, work.result);
    await packRoot(build, root);
    await tellContents(build);
    return writeManifest(
      work.result,
      {
        name: recipe.name,
        version: recipe.version,
        architecture: recipe.architecture,
        bootStyle: 'live-boot',
        kernelArguments: [LIVE_BOOT_ARGUMENT, ...recipe.kernelArguments],
      },
      {
        signal: options.signal,
        onBytes: (bytes, ofBytes) => options.onProgress({ stage: 'hash', fraction: bytes / ofBytes }),
      },
    );
  }).catch(stopped);
}

interface Build {
  readonly recipe: Recipe;
  readonly work: WorkFolder;
  readonly epoch: number;
  readonly stage: string;
  readonly options: BuildOptions;
}

async function installPackages(build: Build, source: PackageSource): Promise<string> {
  const root = join(build.work.scratch, 'root');
  await runStep(build, {
    command: 'mmdebstrap',
    package: 'mmdebstrap',
    arguments: mmdebstrapArguments(build.recipe, source, root),
    environment: {
      ...(await hostProxies()),
      BOOTSWARM_STAGE: build.stage,
      // configure.sh makes the initramfs, once; else the kernel's installation makes it first, in vain.
      INITRD: 'No',
    },
  });
  return root;
}

async function packRoot(build: Build, root: string): Promise<void> {
  await runStep(build, {
    command: 'mksquashfs',
    package: 'squashfs-tools',
    arguments: mksquashfsArguments(root, join(build.work.result, ARTEFACT_NAMES.root)),
    environment: {},
  });
}

async function tellContents({ work, options }: Build): Promise<void> {
  const { result } = work;
  options.onProgress({ stage: 'contents' });
  await writeRootContents(
    join(result, ARTEFACT_NAMES.root),
    join(result, ARTEFACT_NAMES.contents),
    options.signal,
  );
}

async function runStep(
  build: Build,
  step: Pick<ToolRun, 'command' | 'package' | 'arguments' | 'environment'>,
): Promise<void> {
  const { options, recipe, work } = build;
  const logFile = join(work.scratch, `${step.command}.log`);
  const log = createWriteStream(logFile);
  const outcome = await runTool({
    ...step,
    environment: {
      PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
      LC_ALL: 'C.UTF-8',
      SOURCE_DATE_EPOCH: String(build.epoch),
      ...step.environment,
    },
    signal: options.signal,
    log,
    onLine: (line) => {
      const progress = progressOf(line);
      if (progress !== undefined) options.onProgress(progress);
    },
  }).finally(() => finished(log.end()));
  if (outcome.ok) return;
  const output = await readFile(logFile, 'utf8');
  const kept = join(tmpdir(), `bootswarm-${recipe.name}-${randomUUID()}.log`);
  const failure = buildFailure({
    tool: step.command,
    output,
    recipe,
    folder: dirname(work.result),
    log: kept,
  });
  // A failure whose cause is plain leaves nothing behind, not even a log.
  if (failure.remedy.includes(kept)) await copyFile(logFile, kept, constants.COPYFILE_EXCL);
  throw failure;
}

async function readRecipe(recipeFile: string): Promise<Recipe> {
  try {
    return parseRecipe(await readFile(recipeFile, 'utf8'), recipeFile);
  } catch (error) {
    if (!(error instanceof Error) || !('syscall' in error)) throw error;
    throw problem('recipe_unreadable', { facts: { file: recipeFile, reason: error.message }, cause: error });
  }
}

async function defaultEpoch(recipeFile: string): Promise<number> {
  const given = process.env['SOURCE_DATE_EPOCH'];
  if (given !== undefined && /^\d+$/.test(given)) return Number(given);
  return Math.floor((await stat(recipeFile)).mtimeMs / 1000);
}

function mirrorSource(mirror: string): PackageSource {
  const url = URL.parse(mirror);
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw problem('mirror_invalid', { field: 'mirror', facts: { mirror } });
  }
  return { kind: 'mirror', url: url.href };
}

async function hostSource(recipe: Recipe, scratch: string): Promise<PackageSource> {
  const text = debianSources(await readSourceFiles('/etc/apt'), recipe.suite, recipe.components);
  if (text === undefined) return { kind: 'default' };
  const path = join(scratch, 'debian.sources');
  await writeFile(path, text);
  return { kind: 'file', path };
}

async function hostProxies(): Promise<Record<string, string>> {
  const { stdout } = await promisify(execFile)('apt-config', ['dump', 'Acquire']).catch(() => ({
    stdout: '',
  }));
  return proxyEnvironment(stdout);
}

/** Lays out what configure.sh reads. Only root may look: there are password hashes in it. */
async function stageSteps(recipe: Recipe, recipeFolder: string, scratch: string): Promise<string> {
  const stage = join(scratch, 'stage');
  await mkdir(join(stage, 'steps'), { recursive: true, mode: 0o700 });
  await copyFile(join(import.meta.dirname, 'configure.sh'), join(stage, 'configure.sh'));
  for (const [index, step] of configureSteps(recipe).entries()) {
    const number = String(index).padStart(4, '0');
    const data = join('data', number);
    await mkdir(join(stage, data), { recursive: true });
    for (const [name, file] of Object.entries(step.files)) {
      const path = join(stage, data, name);
      if ('content' in file) await writeFile(path, file.content);
      else await copyFile(await sourcePath(file.source, recipeFolder), path);
    }
    const words = [step.verb, step.name, join('/.bootswarm', data), ...step.words];
    await writeFile(join(stage, 'steps', number), words.map((word) => `${word}\0`).join(''));
  }
  return stage;
}

async function sourcePath(source: string, recipeFolder: string): Promise<string> {
  const folder = await realpath(recipeFolder);
  const path = await realpath(join(folder, source)).catch((error: Error) => {
    throw problem('recipe_source_missing', { facts: { source, reason: error.message }, cause: error });
  });
  if (relative(folder, path).startsWith('..')) throw problem('recipe_source_outside', { facts: { source } });
  if (!(await stat(path)).isFile()) {
    throw problem('recipe_source_missing', { facts: { source, reason: 'that is not a file' } });
  }
  return path;
}

/** Moves kernel and initramfs out of the root: machines get them before it, and not twice. */
async function takeKernel(root: string, result: string): Promise<void> {
  const boot = join(root, 'boot');
  const names = await readdir(boot);
  const kernels = names.filter((name) => name.startsWith('vmlinuz-'));
  const initramfs = names.filter((name) => name.startsWith('initrd.img-'));
  const [kernel, initrd] = [kernels[0], initramfs[0]];
  if (kernel === undefined || initrd === undefined || kernels.length + initramfs.length > 2) {
    const found = [...kernels, ...initramfs].join(', ') || 'nothing';
    throw problem('kernel_unclear', { field: 'kernel', facts: { found } });
  }
  await rename(join(boot, kernel), join(result, ARTEFACT_NAMES.kernel));
  await rename(join(boot, initrd), join(result, ARTEFACT_NAMES.initramfs));
  const links = ['vmlinuz', 'vmlinuz.old', 'initrd.img', 'initrd.img.old'];
  await Promise.all(links.map((link) => rm(join(root, link), { force: true })));
}
