import type { BootRole, BootStyle } from '@bootswarm/images/format';
import { problem } from './problems.ts';

/** What a medium is, by the paths on it. */
export interface Layout {
  readonly title: string;
  /** `by-initramfs`: the initramfs tells. */
  readonly style: Extract<BootStyle, 'live-boot' | 'dracut-live' | 'casper' | 'installer'> | 'by-initramfs';
  /** It is of this layout where it has a file of each of these, and none of `unless`. */
  readonly marks: readonly string[];
  readonly unless?: readonly string[];
  /** Paths of what machines boot from. The first that is there wins; `*` stands for anything but `/`. */
  readonly kernel: readonly string[];
  readonly initramfs: readonly string[];
  /** Missing where the root is the medium itself, or there is none. */
  readonly root?: readonly string[];
  /** Where its boot menus are, for the kernel arguments. */
  readonly menus: readonly string[];
}

const MENUS = [
  'isolinux/*.cfg',
  'syslinux/*.cfg',
  'boot/grub/*.cfg',
  'boot/grub2/grub.cfg',
  'EFI/BOOT/grub.cfg',
];
const PXEBOOT_KERNELS = [
  'images/pxeboot/vmlinuz',
  'boot/*/loader/linux',
  'isolinux/vmlinuz0',
  'isolinux/vmlinuz',
];
const PXEBOOT_INITRAMFS = [
  ...['images/pxeboot/initrd.img', 'boot/*/loader/initrd', 'boot/*/loader/initrd.img'],
  ...['isolinux/initrd0.img', 'isolinux/initrd.img'],
];
const RPM_INSTALLER = ['images/install.img', 'repodata/repomd.xml', '*/repodata/repomd.xml'];
const DEBIAN_INSTALLER = [
  'install*',
  'debian-installer/*',
  'main/installer-*/current/images/netboot/debian-installer/*',
];

/** In the order in which they are tried: a live medium may carry an installer or packages too. */
const LAYOUTS: readonly Layout[] = [
  {
    title: 'a live medium of Fedora, CentOS or their kin (dracut)',
    style: 'dracut-live',
    marks: ['LiveOS/{squashfs,rootfs,ext3fs}.img'],
    // CentOS 7 keeps its installer in LiveOS/squashfs.img.
    unless: RPM_INSTALLER,
    kernel: PXEBOOT_KERNELS,
    initramfs: PXEBOOT_INITRAMFS,
    root: ['LiveOS/squashfs.img'],
    menus: MENUS,
  },
  {
    title: 'an installer of Fedora, CentOS or their kin',
    style: 'installer',
    marks: [`{.treeinfo,${RPM_INSTALLER.join(',')}}`, `{${PXEBOOT_KERNELS.join(',')}}`],
    kernel: PXEBOOT_KERNELS,
    initramfs: PXEBOOT_INITRAMFS,
    menus: MENUS,
  },
  {
    title: 'a live medium of Ubuntu (casper)',
    style: 'casper',
    marks: ['casper/*.squashfs'],
    kernel: ['casper/vmlinuz', 'casper/vmlinuz.efi', 'casper/vmlinuz-*'],
    initramfs: [
      'casper/initrd',
      'casper/initrd.gz',
      'casper/initrd.lz',
      'casper/initrd.img',
      'casper/initrd*',
    ],
    menus: MENUS,
  },
  {
    title: 'a live medium of Debian (live-boot)',
    style: 'live-boot',
    marks: ['live/*'],
    kernel: ['live/vmlinuz', 'live/vmlinuz*'],
    initramfs: ['live/{initrd.img,initrd}', 'live/initrd*'],
    root: ['live/{filesystem,root}.squashfs', 'live/*.squashfs'],
    menus: MENUS,
  },
  {
    title: 'an installer of Debian',
    style: 'installer',
    marks: [`{${DEBIAN_INSTALLER.join(',')}}/{vmlinuz,linux}`],
    kernel: [
      'install*/{vmlinuz,linux}',
      'debian-installer/*/linux',
      '{main/installer-*/current/images/netboot/debian-installer/*}/linux',
    ],
    initramfs: [
      ...['install*/initrd.gz', 'debian-installer/*/initrd.gz'],
      '{main/installer-*/current/images/netboot/debian-installer/*}/initrd.gz',
    ],
    menus: MENUS,
  },
  {
    title: 'a folder of kernel, initramfs and root',
    style: 'by-initramfs',
    marks: ['{*.squashfs,squashfs.img}'],
    kernel: ['{vmlinuz,linux}', 'vmlinuz*'],
    initramfs: ['{initrd.img,initrd}', 'initrd*'],
    root: ['{filesystem,root}.squashfs', '{*.squashfs,squashfs.img}'],
    menus: MENUS,
  },
];

/**
 * The layout of a medium with these paths.
 * @param style where the operator says it.
 * @throws Problem `import_unknown`, with what was found and what was looked for.
 */
export function recognise(paths: readonly string[], source: string, style?: BootStyle): Layout {
  const has = (pattern: string): boolean => matching(paths, pattern).length > 0;
  const layouts = LAYOUTS.filter(
    (each) => style === undefined || [style, 'by-initramfs'].includes(each.style),
  );
  const layout = layouts.find(({ marks, unless = [] }) => marks.every(has) && !unless.some(has));
  if (layout !== undefined) return layout;
  const lookedFor = layouts.map(({ title, marks }) => `${title}: ${marks.join(' and ')}`).join('\n  ');
  throw problem('import_unknown', { facts: { source, found: topOf(paths), lookedFor } });
}

/** The names at the top, folders with a slash; not more than a screen line or two. */
function topOf(paths: readonly string[]): string {
  const names = [...new Set(paths.map((path) => path.replace(/\/.*/s, '/')))];
  if (names.length === 0) return 'nothing';
  return names.length > 16
    ? `${names.slice(0, 16).join(', ')} and ${names.length - 16} more`
    : names.join(', ');
}

const ROLE_WORDS: Readonly<Record<BootRole, string>> = {
  kernel: 'kernel',
  initramfs: 'initramfs',
  root: 'root file system',
};

/**
 * The path of one role.
 * @throws Problem `import_missing` or `import_ambiguous`.
 */
export function choosePath(layout: Layout, role: BootRole, paths: readonly string[], source: string): string {
  const patterns = layout[role] ?? [];
  const found = patterns.map((pattern) => matching(paths, pattern)).find((each) => each.length > 0) ?? [];
  const facts = { source, layout: layout.title, what: ROLE_WORDS[role], role };
  const [only] = found;
  if (only === undefined)
    throw problem('import_missing', { field: role, facts: { ...facts, patterns: patterns.join(', ') } });
  if (found.length > 1)
    throw problem('import_ambiguous', { field: role, facts: { ...facts, found: found.join(', ') } });
  return only;
}

/** Case does not count: an ISO without Rock Ridge names is in capitals. */
export function matching(paths: readonly string[], pattern: string): string[] {
  const source = pattern
    .replace(/[.+^$()|[\]\\]/g, '\\$&')
    .replaceAll('*', '[^/]*')
    .replace(/\{([^}]*)\}/g, (_, words: string) => `(?:${words.replaceAll(',', '|')})`);
  const expression = new RegExp(`^${source}$`, 'i');
  return paths.filter((path) => expression.test(path));
}
