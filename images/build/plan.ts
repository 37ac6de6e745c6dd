import type { Recipe } from './recipe.ts';

/** Every live image needs an init, the initramfs that fetches the root, and its compressor. */
const NEEDED_PACKAGES = ['systemd-sysv', 'live-boot', 'zstd'];

/** What live-boot looks for on every machine. The edge adds `fetch=URL` of the root. */
export const LIVE_BOOT_ARGUMENT = 'boot=live';

/** Where the packages come from: apt sources in a file, one mirror, or Debian's default. */
export type PackageSource =
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'mirror'; readonly url: string }
  | { readonly kind: 'default' };

/** Fixed text: what differs comes by the environment, and nothing of the recipe is in it. */
const CONFIGURE_HOOK = [
  'cp -R "$BOOTSWARM_STAGE" "$1/.bootswarm"',
  'chroot "$1" /bin/sh -eu /.bootswarm/configure.sh',
  'rm -rf "$1/.bootswarm"',
].join(' && ');

/**
 * Arguments of mmdebstrap, which leaves the system as a directory `rootFolder`.
 * Its environment must hold BOOTSWARM_STAGE, the folder with `configureSteps` and configure.sh.
 */
export function mmdebstrapArguments(recipe: Recipe, source: PackageSource, rootFolder: string): string[] {
  const packages = new Set([recipe.kernel, ...NEEDED_PACKAGES, ...recipe.packages]);
  return [
    '--mode=root',
    '--variant=minbase',
    '--format=directory',
    `--architectures=${recipe.architecture}`,
    `--components=${recipe.components.join(',')}`,
    `--include=${[...packages].join(',')}`,
    ...recipe.exclude.map((pattern) => `--dpkgopt=path-exclude=${pattern}`),
    `--customize-hook=${CONFIGURE_HOOK}`,
    recipe.suite,
    rootFolder,
    ...(source.kind === 'default' ? [] : [source.kind === 'file' ? source.path : source.url]),
  ];
}

/**
 * Arguments of mksquashfs. Kernel and initramfs must be moved out of the root before.
 * 1 MiB blocks are 3 % smaller than the default of 128 KiB, and a machine reads them from its memory.
 */
export function mksquashfsArguments(rootFolder: string, squashfs: string): string[] {
  return [
    rootFolder,
    squashfs,
    ...['-comp', 'zstd', '-b', '1M'],
    ...['-noappend', '-exit-on-error', '-progress'],
    '-wildcards',
    '-e',
    ...['dev', 'proc', 'run', 'sys', 'tmp'].map((folder) => `${folder}/*`),
    ...['var/lib/apt/lists/*', 'var/cache/apt/*', 'var/cache/debconf/*-old', 'var/lib/dpkg/*-old'],
    ...['var/log/*.log', 'var/log/apt/*', 'var/cache/ldconfig/aux-cache'],
  ];
}

/** One step of configure.sh. Its files are staged in a folder that the script is told. */
export interface ConfigureStep {
  readonly verb: 'user' | 'file' | 'hook';
  /** User name, path, or name of the hook. */
  readonly name: string;
  readonly words: readonly string[];
  readonly files: Readonly<Record<string, StagedFile>>;
}

/** `source` is relative to the folder of the recipe. */
type StagedFile = { readonly content: string } | { readonly source: string };

/** Users before files, which may belong to them; hooks last, since they may need both. */
export function configureSteps(recipe: Recipe): ConfigureStep[] {
  return [
    ...recipe.users.map(
      (user): ConfigureStep => ({
        verb: 'user',
        name: user.name,
        words: [user.shell, user.groups.join(',')],
        files: {
          passwordHash: { content: `${user.passwordHash}\n` },
          sshKeys: { content: user.sshKeys.map((key) => `${key}\n`).join('') },
        },
      }),
    ),
    ...recipe.files.map((file): ConfigureStep => {
      const [owner = 'root', group = owner] = file.owner.split(':');
      return {
        verb: 'file',
        name: file.path,
        words: [file.mode, owner, group],
        files: {
          content: file.source === undefined ? { content: file.content ?? '' } : { source: file.source },
        },
      };
    }),
    ...recipe.hooks.map(
      (hook): ConfigureStep => ({
        verb: 'hook',
        name: hook.name,
        words: [],
        files: { script: { content: hook.script } },
      }),
    ),
  ];
}
