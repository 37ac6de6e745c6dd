import { createHash } from 'node:crypto';
import type { PackageSource } from './plan.ts';
import { livePackages } from './plan.ts';
import type { Recipe } from './recipe.ts';

/** The installed packages as a tree, its /usr as a squashfs, an initramfs, and a compressed part of a mini image. */
export type CacheKind = 'base' | 'usr' | 'initramfs' | 'mini';

/** Counted up when the builder itself changes what it makes of the same input. */
const FORMAT = 1;

export interface BaseInputs {
  readonly recipe: Recipe;
  readonly source: PackageSource;
  /** Text of a file of sources. */
  readonly sourceText: string;
  /** SHA-256 of each Release file of the sources; none where a lock says the versions. */
  readonly releases: readonly string[];
  readonly lock: string | undefined;
  /** Names and versions of the tools. */
  readonly tools: string;
}

/** What decides about the installed packages: nothing of files, users, services and hooks is in it. */
export function baseKey(inputs: BaseInputs): string {
  const { recipe, source, sourceText, releases, lock, tools } = inputs;
  return keyOf({
    FORMAT,
    architecture: recipe.architecture,
    suite: recipe.suite,
    components: recipe.components,
    packages: livePackages(recipe),
    exclude: recipe.exclude,
    source: source.kind === 'mirror' ? source.url : sourceText,
    releases,
    lock: lock ?? '',
    tools,
  });
}

/** @param changes hash of what became of the base below the part that is kept. */
export function layerKey(
  base: string,
  epoch: number,
  changes: string,
  extra: readonly string[] = [],
): string {
  return keyOf({ FORMAT, base, epoch, changes, extra });
}

function keyOf(inputs: object): string {
  return createHash('sha256').update(JSON.stringify(inputs)).digest('hex').slice(0, 32);
}

/** mkinitramfs and what it calls read these without its hooks naming them. */
const ALWAYS_READ = [
  'boot',
  'etc/default',
  'etc/depmod.d',
  'etc/initramfs-tools',
  'etc/kernel',
  'etc/ld.so',
  'etc/lvm',
  'etc/mdadm',
  'etc/modprobe.d',
  'etc/modules',
  'etc/udev',
  'usr',
];

/** Nothing looks here when an initramfs is made, unless a hook names it. */
const NEVER_READ = ['dev', 'home', 'media', 'mnt', 'proc', 'root', 'run', 'srv', 'sys', 'tmp'];

/**
 * Of the changed paths of a root, those that may decide what its initramfs holds.
 * A hook of mkinitramfs is a shell script, so it names what it reads; a comment reads nothing.
 * @param paths relative to the root.
 * @param hooks the text of all of them.
 */
export function initramfsInputs(paths: readonly string[], hooks: string): string[] {
  const commands = hooks.replace(/^\s*#.*$/gm, '');
  return paths.filter((path) => {
    const [top = '', second = ''] = path.split('/', 2);
    const begins = `${top}/${second}`;
    if (ALWAYS_READ.some((read) => path === read || path.startsWith(read))) {
      return !path.startsWith('usr/local') || commands.includes('usr/local');
    }
    // A folder alone: what was added to it or removed is listed with it.
    if (second === '') return false;
    if (NEVER_READ.includes(top)) return commands.includes(`/${begins}`);
    return commands.includes(begins);
  });
}
