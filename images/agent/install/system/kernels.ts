import type { SystemView } from './view.ts';

/** A kernel that the new system can boot. */
export interface InstalledKernel {
  /** As `uname -r` says it. */
  readonly release: string;
  /** `/boot/vmlinuz-RELEASE` */
  readonly image: string;
  readonly initramfs: string;
}

/** Those of /boot that have their modules, the newest first. */
export function kernelsIn(view: SystemView): readonly InstalledKernel[] {
  const releases = view.list('/boot').flatMap((name) => /^vmlinuz-(.+)$/.exec(name)?.[1] ?? []);
  return releases
    .filter((release) => modulesOf(view, release) !== undefined && !release.includes('rescue'))
    .toSorted((a, b) => b.localeCompare(a, 'en', { numeric: true }))
    .map((release) => ({
      release,
      image: `/boot/vmlinuz-${release}`,
      initramfs: initramfsOf(view, release),
    }));
}

/** Kernels of which there are modules, whether or not they are in /boot. */
export function moduleReleases(view: SystemView): readonly string[] {
  return view.list('/usr/lib/modules').length > 0 ? view.list('/usr/lib/modules') : view.list('/lib/modules');
}

/** Debian's name, or that of dracut. */
function initramfsOf(view: SystemView, release: string): string {
  return makesByTools(view) ? `/boot/initrd.img-${release}` : `/boot/initramfs-${release}.img`;
}

/** What makes the initramfs of a kernel anew; undefined where the image has nothing for it. */
export function initramfsCommand(
  view: SystemView,
  { release, initramfs }: InstalledKernel,
): readonly [string, ...string[]] | undefined {
  if (makesByTools(view)) return ['update-initramfs', '-c', '-k', release];
  if (!DRACUT.some((path) => view.has(path))) return undefined;
  // For whatever disk the machine gets later, and because dracut would look at the mini image's own devices.
  return ['dracut', '--force', '--no-hostonly', '--kver', release, initramfs];
}

const DRACUT = ['/usr/bin/dracut', '/usr/sbin/dracut', '/sbin/dracut'];

function makesByTools(view: SystemView): boolean {
  return view.has('/usr/sbin/update-initramfs');
}

/** Whether a kernel can do what a module is for, as a module or by itself. */
export function hasModule(view: SystemView, release: string, name: string): boolean {
  const folder = modulesOf(view, release);
  if (folder === undefined) return false;
  const lists = ['modules.builtin', 'modules.dep', 'modules.order'].map(
    (each) => view.read(`${folder}/${each}`) ?? '',
  );
  // The kernel takes `_` and `-` for the same in names.
  const pattern = new RegExp(`/${name.replaceAll('_', '[_-]')}\\.ko(\\.(xz|zst|gz))?(:|$)`, 'm');
  return lists.some((list) => pattern.test(list));
}

function modulesOf(view: SystemView, release: string): string | undefined {
  const folders = ['/usr/lib/modules', '/lib/modules'].map((folder) => `${folder}/${release}`);
  return folders.find((folder) => view.has(`${folder}/modules.dep`) || view.has(`${folder}/modules.builtin`));
}

const SETUP_SECTS = 0x1f1;
const MAGIC_AT = 0x202;
const VERSION_AT = 0x20e;
const HEADER_BYTES = 0x200;

/**
 * The release of a kernel by its own header: the Linux/x86 Boot Protocol, `kernel_version`.
 * @returns undefined for what is no such kernel.
 */
export function kernelRelease(bytes: Uint8Array): string | undefined {
  const at = (place: number): number => bytes[place] ?? 0;
  const magic = Buffer.from(bytes.subarray(MAGIC_AT, MAGIC_AT + 4)).toString('latin1');
  if (magic !== 'HdrS') return undefined;
  const start = (at(VERSION_AT) | (at(VERSION_AT + 1) << 8)) + HEADER_BYTES;
  // It stands within the setup's sectors.
  if (start === HEADER_BYTES || start >= (at(SETUP_SECTS) + 1) * 512) return undefined;
  const end = bytes.indexOf(0, start);
  const text = Buffer.from(bytes.subarray(start, end < 0 ? start : Math.min(end, start + 200))).toString(
    'latin1',
  );
  return /^[\w.+~-]+/.exec(text)?.[0];
}
