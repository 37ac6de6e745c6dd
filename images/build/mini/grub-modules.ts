/**
 * Modules of GRUB that start an installed system: what it finds kernels with on the disks of a server, and what its
 * menu is written with. An image that has a GRUB of its own is started by that one's modules instead.
 */
export const GRUB_MODULES: readonly string[] = [
  ...['normal', 'configfile', 'linux', 'chain', 'boot', 'loadenv', 'test', 'true', 'regexp', 'sleep'],
  ...['search', 'search_label', 'search_fs_uuid', 'search_fs_file', 'probe'],
  ...['ext2', 'xfs', 'fat', 'btrfs', 'squash4', 'loopback', 'gzio', 'xzio', 'zstd'],
  ...['part_gpt', 'part_msdos', 'lvm', 'mdraid09', 'mdraid1x', 'diskfilter', 'raid5rec', 'raid6rec'],
  ...['echo', 'cat', 'ls', 'help', 'halt', 'reboot', 'minicmd', 'password_pbkdf2', 'keystatus'],
  ...['serial', 'terminal', 'gfxterm', 'font', 'all_video', 'video', 'terminfo', 'at_keyboard'],
];

/** For one firmware alone; UEFI is started by the GRUB that Debian signed, which has its modules inside. */
const PLATFORM_MODULES: Readonly<Record<string, readonly string[]>> = {
  'i386-pc': ['biosdisk', 'vbe', 'vga', 'cpuid'],
};

/**
 * Names of the modules and of those that they need, in alphabetical order. Pure.
 * @param moddep the file moddep.lst of the platform: `NAME: NAME NAME` a line.
 * @throws ReferenceError where a module is not there.
 */
export function grubModules(platform: string, moddep: string): readonly string[] {
  const needs = new Map(
    moddep.split('\n').flatMap((line) => {
      const [name = '', rest] = line.split(':');
      return rest === undefined ? [] : [[name, rest.split(' ').filter((each) => each !== '')] as const];
    }),
  );
  const taken = new Set<string>();
  const queue = [...GRUB_MODULES, ...(PLATFORM_MODULES[platform] ?? [])];
  for (let name = queue.pop(); name !== undefined; name = queue.pop()) {
    if (taken.has(name)) continue;
    const more = needs.get(name);
    if (!more) throw new ReferenceError(`GRUB for ${platform} has no module ${name}`);
    taken.add(name);
    queue.push(...more);
  }
  return [...taken].toSorted();
}
