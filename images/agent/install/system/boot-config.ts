import type { DiskPlan } from '@bootswarm/images/install';
import type { InstalledKernel } from './kernels.ts';
import { type Change, file, type SystemView } from './view.ts';

/** Where GRUB reads its menu from, in the new system. */
export const GRUB_CONFIG = '/boot/grub/grub.cfg';
/** Folders of the EFI system partition: ours, the one that firmware tries by itself, and that of Debian's signed GRUB. */
export const EFI_FOLDERS = { own: 'EFI/bootswarm', removable: 'EFI/BOOT', grub: 'EFI/debian' } as const;

/** The kernel's arguments in the new system. */
export function systemArguments(
  view: SystemView,
  plan: DiskPlan,
  given: readonly string[],
): readonly string[] {
  const usesDracut = !view.has('/usr/sbin/update-initramfs');
  // dracut.cmdline(7): without it nothing is put together that no argument names.
  const finds = usesDracut && (plan.disks.length > 1 || plan.group) ? ['rd.auto=1'] : [];
  return [...finds, ...given];
}

export function rootUuid({ fileSystems }: Pick<DiskPlan, 'fileSystems'>): string {
  const root = fileSystems.find(({ mount }) => mount === '/');
  if (!root) throw new TypeError('the plan has no root');
  return root.uuid;
}

/** The image's own GRUB, if it has one, takes our arguments from here: now, and whenever it writes its menu again. */
export function grubDefaults(view: SystemView, kernelArguments: readonly string[]): readonly Change[] {
  const line = `GRUB_CMDLINE_LINUX="${kernelArguments.map(escaped).join(' ')}"`;
  const quiet = [
    'GRUB_CMDLINE_LINUX_DEFAULT=""',
    'GRUB_TIMEOUT=1',
    'GRUB_TERMINAL="console"',
    'GRUB_DISABLE_OS_PROBER=true',
  ];
  const ours = ['# By Bootswarm, at the installation.', line, ...quiet, ''].join('\n');
  if (view.has('/etc/default/grub.d') || view.has('/etc/debian_version'))
    return view.has('/etc/default/grub') ? [file('/etc/default/grub.d/bootswarm.cfg', ours)] : [];
  const own = view.read('/etc/default/grub');
  if (own === undefined) return [];
  const kept = own.split('\n').filter((each) => !/^GRUB_(CMDLINE_LINUX|TIMEOUT|TERMINAL)/.test(each));
  return [file('/etc/default/grub', [...kept.filter((each) => each !== ''), ours].join('\n'))];
}

/** grub-mkconfig of the image; undefined where it has none. It is called by the name that its distribution gave it. */
export function mkconfigCommand(view: SystemView): readonly [string, ...string[]] | undefined {
  if (view.has('/usr/sbin/grub-mkconfig')) return ['grub-mkconfig', '-o', GRUB_CONFIG];
  if (view.has('/usr/sbin/grub2-mkconfig')) return ['grub2-mkconfig', '-o', GRUB_CONFIG];
  return undefined;
}

/**
 * Whether a menu that the image wrote boots the new system by our GRUB: it names kernels by itself, and the root by its
 * UUID. Menus of Fedora and its kin ask commands that only their GRUB has.
 */
export function isUsableMenu(menu: string, uuid: string): boolean {
  const lines = menu.split('\n').map((line) => line.trim());
  if (lines.some((line) => /^(blscfg|linuxefi|initrdefi)\b/.test(line))) return false;
  return lines.some((line) => /^linux(16)?\s+\//.test(line) && line.includes(`root=UUID=${uuid}`));
}

/** A menu of the kernels that are there, for an image that writes none itself. */
export function ownMenu(
  plan: DiskPlan,
  kernels: readonly InstalledKernel[],
  kernelArguments: readonly string[],
): string {
  const [boot, folder] = bootFileSystem(plan);
  const entry = (title: string, image: string, initramfs: string): readonly string[] => [
    `menuentry '${title}' {`,
    `  linux ${image} root=UUID=${rootUuid(plan)} ro ${kernelArguments.map(quoted).join(' ')}`.trimEnd(),
    `  initrd ${initramfs}`,
    '}',
  ];
  const inBoot = (path: string): string => path.replace(/^\/boot/, folder);
  return [
    '# By Bootswarm, at the installation: the image has no GRUB that writes this.',
    'set timeout=1',
    'set default=0',
    'insmod part_gpt',
    'insmod part_msdos',
    ...(plan.disks.length > 1 ? ['insmod mdraid1x'] : []),
    `insmod ${boot.type === 'xfs' ? 'xfs' : 'ext2'}`,
    `search --no-floppy --fs-uuid --set=root ${boot.uuid}`,
    // Debian keeps these links on the newest kernel: updates take effect without another menu.
    ...(folder === '/boot'
      ? [
          'if [ -e /vmlinuz -a -e /initrd.img ]; then',
          ...entry('The newest kernel', '/vmlinuz', '/initrd.img').map((line) => `  ${line}`),
          'fi',
        ]
      : []),
    ...kernels.flatMap(({ release, image, initramfs }) => entry(release, inBoot(image), inBoot(initramfs))),
    '',
  ].join('\n');
}

/** What GRUB on an EFI system partition reads first: it looks for the file system with the menu by its UUID. */
export function efiStub(plan: DiskPlan): string {
  const [boot, folder] = bootFileSystem(plan);
  return [
    `search.fs_uuid ${boot.uuid} root`,
    `set prefix=($root)${folder}/grub`,
    'configfile $prefix/grub.cfg',
    '',
  ].join('\n');
}

/** extlinux.conf(5) of SYSLINUX, in the folder of its kernels. */
export function extlinuxConfig(
  plan: DiskPlan,
  kernels: readonly InstalledKernel[],
  kernelArguments: readonly string[],
): string {
  const [, folder] = bootFileSystem(plan);
  const inBoot = (path: string): string => path.replace(/^\/boot/, folder);
  const [newest] = kernels;
  return [
    '# By Bootswarm, at the installation.',
    `DEFAULT ${newest?.release ?? 'linux'}`,
    'PROMPT 0',
    'TIMEOUT 10',
    ...kernels.flatMap(({ release, image, initramfs }) => [
      `LABEL ${release}`,
      `  LINUX ${inBoot(image)}`,
      `  INITRD ${inBoot(initramfs)}`,
      `  APPEND ${[`root=UUID=${rootUuid(plan)}`, 'ro', ...kernelArguments].join(' ')}`,
    ]),
    '',
  ].join('\n');
}

/** The file system that holds /boot, and where /boot is in it. */
function bootFileSystem({ fileSystems }: DiskPlan): readonly [DiskPlan['fileSystems'][number], '/boot' | ''] {
  const own = fileSystems.find(({ mount }) => mount === '/boot');
  if (own) return [own, ''];
  const root = fileSystems.find(({ mount }) => mount === '/');
  if (!root) throw new TypeError('the plan has no root');
  return [root, '/boot'];
}

/** In a word of GRUB's shell. Arguments of the contract are printable and without blanks. */
function quoted(word: string): string {
  return /^[\w=.,:/@+-]+$/.test(word) ? word : `'${word.replaceAll("'", `'"'"'`)}'`;
}

/** Between double quotes of a shell that reads /etc/default/grub. */
function escaped(word: string): string {
  return word.replace(/[\\"$`]/g, '\\$&');
}
