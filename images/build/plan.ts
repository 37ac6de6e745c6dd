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

/** The packages of a live image by name, each once. */
export function livePackages(recipe: Recipe): string[] {
  return [...new Set([recipe.kernel, ...NEEDED_PACKAGES, ...recipe.packages])];
}

/** Fixed texts: what differs comes by the environment, and nothing of the recipe is in them. */
const HOOKS = [
  // Packages that were downloaded before; as links where the cache is on the same file system.
  `--setup-hook=if [ -n "$BOOTSWARM_PACKAGES" ]; then mkdir -p "$1/var/cache/apt/archives"; find "$BOOTSWARM_PACKAGES" -name "*.deb" -exec cp --archive --link --target-directory="$1/var/cache/apt/archives" {} + 2>/dev/null || find "$BOOTSWARM_PACKAGES" -name "*.deb" -exec cp --archive --force --target-directory="$1/var/cache/apt/archives" {} + ; fi`,
  '--setup-hook=if [ -n "$BOOTSWARM_PINS" ]; then cp "$BOOTSWARM_PINS" "$1/etc/apt/preferences.d/bootswarm-lock"; fi',
  // Kept under another name and renamed, so that a stopped build leaves no half package.
  `--customize-hook=if [ -n "$BOOTSWARM_PACKAGES" ]; then for deb in "$1"/var/cache/apt/archives/*.deb; do kept="$BOOTSWARM_PACKAGES/\${deb##*/}"; if [ -e "$deb" ] && [ ! -e "$kept" ]; then if cp --reflink=auto "$deb" "$kept.$$"; then mv "$kept.$$" "$kept"; else rm -f "$kept.$$"; break; fi; fi; done; fi`,
  // mmdebstrap copies name and name servers of this host; a package may have laid a link of its own in their place.
  '--customize-hook=cd "$1/etc" && rm -f apt/preferences.d/bootswarm-lock hostname .resolv.conf.systemd-resolved.bak && if [ ! -L resolv.conf ]; then rm -f resolv.conf; fi',
];

/**
 * Arguments of mmdebstrap, which leaves the installed packages as a directory `rootFolder`, and apt's lists
 * with them for the hooks of the recipe. Its environment must hold BOOTSWARM_PACKAGES, a folder of
 * downloaded packages, and BOOTSWARM_PINS, a file of apt_preferences(5); either may be empty.
 */
export function mmdebstrapArguments(recipe: Recipe, source: PackageSource, rootFolder: string): string[] {
  return [
    '--mode=root',
    '--variant=minbase',
    '--format=directory',
    `--architectures=${recipe.architecture}`,
    `--components=${recipe.components.join(',')}`,
    `--include=${livePackages(recipe).join(',')}`,
    ...recipe.exclude.map((pattern) => `--dpkgopt=path-exclude=${pattern}`),
    '--skip=essential/unlink,cleanup/apt/lists',
    ...HOOKS,
    recipe.suite,
    rootFolder,
    ...(source.kind === 'default' ? [] : [source.kind === 'file' ? source.path : source.url]),
  ];
}

/**
 * Arguments of mksquashfs. Kernel and initramfs must be moved out of the root before.
 * Blocks of 1 MiB: 3 % smaller than the default of 128 KiB, and the next release shares most of them all the same
 * (images/decisions/0009).
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

/** The first part of a squashfs: /usr, as a folder of that name. */
export function mksquashfsUsrArguments(usr: string, squashfs: string): string[] {
  return withOption(mksquashfsArguments(usr, squashfs), '-noappend', '-noappend', '-keep-as-directory');
}

/** All else, behind it. A build that is stopped starts anew, so mksquashfs keeps nothing to go back by. */
export function mksquashfsRestArguments(rootFolder: string, squashfs: string): string[] {
  return withOption(mksquashfsArguments(rootFolder, squashfs), '-noappend', '-no-recovery');
}

function withOption(list: readonly string[], old: string, ...options: string[]): string[] {
  return list.flatMap((word) => (word === old ? options : [word]));
}

/** One step of configure.sh. Its files are staged in a folder that the script is told. */
export interface ConfigureStep {
  readonly verb: 'user' | 'file' | 'service' | 'hook';
  /** User name, path, unit, or name of the hook. */
  readonly name: string;
  readonly words: readonly string[];
  readonly files: Readonly<Record<string, StagedFile>>;
}

/** `source` is relative to the folder of the recipe. */
type StagedFile = { readonly content: string } | { readonly source: string };

/** Users before files, which may belong to them or be units; hooks last, since they may need all. */
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
    ...(['disable', 'enable', 'mask'] as const).flatMap((verb) =>
      recipe.services[verb].map(
        (unit): ConfigureStep => ({ verb: 'service', name: unit, words: [verb], files: {} }),
      ),
    ),
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
