import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { debianSources, proxyEnvironment, readSourceFiles, releaseUrls } from './apt-sources.ts';
import { installedVersions, parseLock, pinsOf, refuseOtherVersions } from './builder-lock.ts';
import { type Build, fromNowOn, runOnTree, runStep } from './builder-steps.ts';
import { baseKey, layerKey } from './cache-keys.ts';
import { mmdebstrapArguments, type PackageSource } from './plan.ts';
import { problem } from './problems.ts';

const run = promisify(execFile);

/** The tree of the installed packages, before anything of the recipe is configured in it. */
export interface Base {
  readonly root: string;
  /** Hash of all that decided about it. */
  readonly key: string;
  /** When the newest file of its packages was made: seconds since 1970, the same for the same packages. */
  readonly packagesEpoch: number;
}

export interface BaseOptions {
  readonly mirror: string | undefined;
  readonly lock: { readonly file: string; readonly text: string } | undefined;
}

/**
 * While packages are installed, when nothing tells yet how new they are. It ends up in days of shadow(5),
 * so the day on which the suite was released does as well for all packages of it.
 */
const SUITE_EPOCHS = { bookworm: 1686355200, trixie: 1754697600 };

/** Installs the packages of the recipe, or takes them from the cache. */
export async function installBase(build: Build, options: BaseOptions): Promise<Base> {
  const { recipe, work } = build;
  const source = await sourceOf(build, options.mirror);
  const sourceText = await textOf(source, build);
  const lock = options.lock && parseLock(options.lock.text, options.lock.file, recipe);
  // Where a host has no sources for the suite, only mmdebstrap knows where packages come from, and nobody whether they
  // are as they were.
  const isTold = lock !== undefined || source.kind !== 'default';
  const cache = isTold ? build.cache : undefined;
  const releases = cache === undefined || lock !== undefined ? [] : await releaseHashes(build, sourceText);
  const tools = await toolVersions();
  const key = baseKey({ recipe, source, sourceText, releases, lock: options.lock?.text, tools });
  const folder = join(work.scratch, 'base');

  await using kept = await cache?.use('base', key);
  if (kept !== undefined) {
    build.onProgress({ stage: 'packages', message: 'taking the packages from the cache' });
    await runOnTree(build, 'copy', [kept.data, folder]);
  } else {
    await mkdir(folder);
    await installPackages(build, source, folder, lock && pinsOf(lock));
    if (lock !== undefined) refuseOtherVersions(lock, await installedVersions(join(folder, 'root')));
    const isAsKeyed = lock !== undefined || (await holdsReleases(join(folder, 'root'), releases));
    const label = `${recipe.name} ${recipe.suite} ${recipe.architecture}`;
    if (isAsKeyed) await cache?.store('base', key, label, (data) => runOnTree(build, 'copy', [folder, data]));
  }
  const facts = await readFile(join(folder, 'newest'), 'utf8');
  const root = join(folder, 'root');
  // What is made of a base that nothing told of is known by its packages.
  const own = isTold ? '' : (await installedVersions(root)).join('\n');
  return { root, key: layerKey(key, 0, own), packagesEpoch: Math.floor(Number(facts)) };
}

async function installPackages(
  build: Build,
  source: PackageSource,
  folder: string,
  pins: string | undefined,
): Promise<void> {
  const { recipe, work } = build;
  const root = join(folder, 'root');
  const pinsFile = pins === undefined ? '' : join(work.scratch, 'pins');
  if (pins !== undefined) await writeFile(pinsFile, pins);
  const since = fromNowOn();
  await runStep(build, {
    command: 'mmdebstrap',
    package: 'mmdebstrap',
    arguments: mmdebstrapArguments(recipe, source, root),
    environment: {
      ...(await hostProxies()),
      // What it leaves there when it is killed goes with the rest.
      TMPDIR: work.scratch,
      BOOTSWARM_PACKAGES: (await build.cache?.packageFolder(recipe.suite, recipe.architecture)) ?? '',
      BOOTSWARM_PINS: pinsFile,
      SOURCE_DATE_EPOCH: String(SUITE_EPOCHS[recipe.suite]),
      // configure.sh makes the initramfs, once; else the kernel's installation makes it first, in vain.
      INITRD: 'No',
    },
  });
  const newest = join(folder, 'newest');
  await runOnTree(build, 'newest', [root, since, newest]);
  await runOnTree(build, 'settle', [root, (await readFile(newest, 'utf8')).trim(), since]);
}

async function sourceOf(build: Build, mirror: string | undefined): Promise<PackageSource> {
  if (mirror !== undefined) return mirrorSource(mirror);
  const { suite, components } = build.recipe;
  const text = debianSources(await readSourceFiles('/etc/apt'), suite, components);
  if (text === undefined) return { kind: 'default' };
  const path = join(build.work.scratch, 'debian.sources');
  await writeFile(path, text);
  return { kind: 'file', path };
}

/** @throws Problem `mirror_invalid`. */
export function mirrorSource(mirror: string): PackageSource {
  const url = URL.parse(mirror);
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw problem('mirror_invalid', { field: 'mirror', facts: { mirror } });
  }
  return { kind: 'mirror', url: url.href };
}

async function textOf(source: PackageSource, { recipe }: Build): Promise<string> {
  if (source.kind === 'file') return readFile(source.path, 'utf8');
  return source.kind === 'mirror' ? `URIs: ${source.url}\nSuites: ${recipe.suite}\n` : '';
}

/** SHA-256 of each Release file of the sources: it changes with any package of theirs. */
async function releaseHashes(build: Build, sourceText: string): Promise<string[]> {
  const urls = releaseUrls(sourceText);
  build.onProgress({ stage: 'packages', message: 'looking for newer packages', fraction: 0 });
  return Promise.all(urls.map((url, index) => releaseHash(build, url, index)));
}

async function releaseHash(build: Build, url: string, index: number): Promise<string> {
  const file = join(build.work.scratch, `release-${index}`);
  // By apt itself, with the proxies and credentials that the host gives to apt.
  const patience = ['-o', 'Acquire::Retries=1', '-o', 'Acquire::http::Timeout=20'];
  try {
    await run('/usr/lib/apt/apt-helper', [...patience, 'download-file', url, file], { signal: build.signal });
  } catch (error) {
    if (build.signal.aborted) throw error;
    const { stderr = '' } = error as { stderr?: string };
    const reason = /^E: (.*)$/m.exec(stderr)?.[1] ?? String(error);
    throw problem('mirror_unreachable', { facts: { suite: build.recipe.suite, reason }, cause: error });
  }
  return sha256(await readFile(file));
}

/** Whether the lists of apt are those that the key was made of: not where the archive moved meanwhile. */
async function holdsReleases(root: string, releases: readonly string[]): Promise<boolean> {
  const lists = join(root, 'var/lib/apt/lists');
  const names = (await readdir(lists)).filter((name) => name.endsWith('_InRelease'));
  const found = await Promise.all(names.map(async (name) => sha256(await readFile(join(lists, name)))));
  return JSON.stringify(found.sort()) === JSON.stringify(releases.toSorted());
}

async function hostProxies(): Promise<Record<string, string>> {
  const { stdout } = await run('apt-config', ['dump', 'Acquire']).catch(() => ({ stdout: '' }));
  return proxyEnvironment(stdout);
}

/** Another version may install or pack the same packages in another way. */
async function toolVersions(): Promise<string> {
  const tools = ['apt', 'dpkg', 'mmdebstrap', 'squashfs-tools'];
  const { stdout } = await run('dpkg-query', ['--show', ...tools]).catch(() => ({ stdout: '' }));
  return stdout;
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
