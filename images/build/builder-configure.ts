import {
  copyFile,
  lstat,
  mkdir,
  readdir,
  readFile,
  realpath,
  rename,
  rm,
  stat,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { join, relative } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ARTEFACT_NAMES } from './build-folder.ts';
import type { Base } from './builder-base.ts';
import { type Build, fromNowOn, runOnTree } from './builder-steps.ts';
import { initramfsInputs, layerKey } from './cache-keys.ts';
import { configureSteps } from './plan.ts';
import { problem } from './problems.ts';
import type { Recipe } from './recipe.ts';

/** The root as the recipe wants it, without kernel and initramfs, which lie in the result. */
export interface ConfiguredRoot {
  readonly root: string;
  /** Identifies what its /usr holds. */
  readonly usrKey: string;
}

/** The clock that file systems stamp with goes in steps of up to 10 ms. */
const CLOCK_STEP_MS = 50;

/**
 * Does what the recipe says with the installed packages, and makes the initramfs, unless the cache holds
 * one that the same base and the same changes led to.
 */
export async function configureRoot(build: Build, base: Base, epoch: number): Promise<ConfiguredRoot> {
  const { scratch, result } = build.work;
  const { root } = base;
  const mark = join(scratch, 'mark');
  await sleep(CLOCK_STEP_MS);
  const since = fromNowOn();
  await writeFile(mark, '');
  await sleep(CLOCK_STEP_MS);

  const environment = { SOURCE_DATE_EPOCH: String(epoch), BOOTSWARM_PHASE: 'recipe' };
  const inside = join(root, '.bootswarm');
  await stageSteps(build, inside);
  await lendNameServers(root, inside);
  await runOnTree(build, 'enter', [root, '/bin/sh', '-eu', '/.bootswarm/configure.sh'], environment);

  const changed = await changedPaths(build, root, mark);
  const inputs = initramfsInputs(changed, await initramfsHooks(root));
  const key = layerKey(base.key, epoch, await digest(build, root, inputs), [build.recipe.kernel]);
  await using kept = await build.cache?.use('initramfs', key);
  if (kept === undefined) {
    await runOnTree(build, 'enter', [root, '/bin/sh', '-eu', '/.bootswarm/configure.sh'], {
      ...environment,
      BOOTSWARM_PHASE: 'initramfs',
    });
  }
  await rm(inside, { recursive: true });
  await takeKernel(root, result, kept?.data);
  const initramfs = join(result, ARTEFACT_NAMES.initramfs);
  const { name, suite, architecture } = build.recipe;
  if (kept === undefined)
    await build.cache?.store('initramfs', key, `${name} ${suite} ${architecture}`, (data) =>
      copyFile(initramfs, data),
    );
  // Written to when an initramfs is made, and so not by every build: as if by each.
  const now = new Date();
  for (const folder of ['boot', 'var/tmp', 'var/lib/initramfs-tools'])
    await utimes(join(root, folder), now, now).catch(() => undefined);
  await runOnTree(build, 'settle', [root, String(epoch), since]);

  const usr = await digest(
    build,
    root,
    changed.filter((path) => path === 'usr' || path.startsWith('usr/')),
  );
  return { root, usrKey: layerKey(base.key, epoch, usr) };
}

/** Lays out what configure.sh reads. Only root may look: there are password hashes in it. */
async function stageSteps({ recipe, recipeFolder }: Build, stage: string): Promise<void> {
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
}

/** @throws Problem for the first file of the recipe that is not in its folder. */
export async function checkSources(recipe: Recipe, recipeFolder: string): Promise<void> {
  for (const { source } of recipe.files) if (source !== undefined) await sourcePath(source, recipeFolder);
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

/** Gives the hooks the name servers of this host. A package may have laid a link of its own there. */
async function lendNameServers(root: string, inside: string): Promise<void> {
  const there = await lstat(join(root, 'etc/resolv.conf')).catch(() => undefined);
  const text = await readFile('/etc/resolv.conf').catch(() => undefined);
  if (there !== undefined || text === undefined) return;
  await writeFile(join(root, 'etc/resolv.conf'), text);
  await writeFile(join(inside, 'resolv.conf'), text);
}

async function changedPaths(build: Build, root: string, mark: string): Promise<string[]> {
  const list = join(build.work.scratch, 'changed');
  await runOnTree(build, 'changed', [root, mark, list]);
  const paths = (await readFile(list, 'utf8')).split('\0').filter((path) => path !== '');
  return paths.filter((path) => !path.startsWith('.bootswarm'));
}

async function digest(build: Build, root: string, paths: readonly string[]): Promise<string> {
  const list = join(build.work.scratch, 'list');
  const hash = join(build.work.scratch, 'hash');
  await writeFile(list, paths.map((path) => `${path}\0`).join(''));
  await runOnTree(build, 'digest', [root, list, hash]);
  return (await readFile(hash, 'utf8')).trim();
}

/** Text of all that runs when an initramfs is made; what is under `scripts` runs when it boots. */
async function initramfsHooks(root: string): Promise<string> {
  const programs = [
    'usr/sbin/mkinitramfs',
    'usr/sbin/update-initramfs',
    'usr/share/initramfs-tools/hook-functions',
  ];
  const folders = ['usr/share/initramfs-tools/hooks', 'etc/initramfs-tools'];
  const found = await Promise.all(
    folders.map(async (folder) => {
      const path = join(root, folder);
      const entries = await readdir(path, { withFileTypes: true, recursive: true }).catch(() => []);
      return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
    }),
  );
  const paths = [...programs.map((name) => join(root, name)), ...found.flat()];
  const texts = await Promise.all(paths.map((path) => readFile(path, 'latin1').catch(() => '')));
  return texts.join('\n');
}

/**
 * Moves kernel and initramfs out of the root: machines get them before it, and not twice.
 * @param kept initramfs of the cache, where none was made.
 */
async function takeKernel(root: string, result: string, kept: string | undefined): Promise<void> {
  const boot = join(root, 'boot');
  const names = await readdir(boot);
  const kernels = names.filter((name) => name.startsWith('vmlinuz-'));
  const made = names.filter((name) => name.startsWith('initrd.img-'));
  const initramfs = kept === undefined ? made : [...made, kept];
  const [kernel, initrd] = [kernels[0], initramfs[0]];
  if (kernel === undefined || initrd === undefined || kernels.length + initramfs.length > 2) {
    const found = [...kernels, ...made].join(', ') || 'nothing';
    throw problem('kernel_unclear', { field: 'kernel', facts: { found } });
  }
  await rename(join(boot, kernel), join(result, ARTEFACT_NAMES.kernel));
  const target = join(result, ARTEFACT_NAMES.initramfs);
  if (kept === undefined) await rename(join(boot, initrd), target);
  else await copyFile(kept, target);
  const links = ['vmlinuz', 'vmlinuz.old', 'initrd.img', 'initrd.img.old'];
  await Promise.all(links.map((link) => rm(join(root, link), { force: true })));
}
