import { type DiskPlan, fstabId } from '@bootswarm/images/install';

type FileSystem = DiskPlan['fileSystems'][number];

/** fstab(5) of the plan, in the order in which it is mounted: what is mounted on comes before what is mounted there. */
export function fstabText({ fileSystems, disks }: Pick<DiskPlan, 'fileSystems' | 'disks'>): string {
  const isMirror = disks.length > 1;
  const ordered = fileSystems.toSorted((a, b) => depth(a) - depth(b));
  const lines = ordered.map((each) =>
    [
      `UUID=${fstabId(each)}`,
      each.mount ?? 'none',
      each.type,
      optionsOf(each, isMirror),
      '0',
      passOf(each),
    ].join(' '),
  );
  return ['# By Bootswarm, at the installation.', ...lines, ''].join('\n');
}

/** How many folders a mount is deep; swap comes last. */
function depth({ mount }: FileSystem): number {
  if (mount === undefined) return Number.POSITIVE_INFINITY;
  return mount.split('/').filter((part) => part !== '').length;
}

function optionsOf({ mount, type }: FileSystem, isMirror: boolean): string {
  if (type === 'swap') return 'sw';
  // Firmware reads it, nobody else need. In a mirror it goes with its disk, and the system must come up without it.
  if (type === 'vfat') return isMirror ? 'umask=0077,nofail' : 'umask=0077';
  return mount === '/' && type === 'ext4' ? 'errors=remount-ro' : 'defaults';
}

/** XFS is never checked at boot: fsck.xfs(8). */
function passOf({ mount, type }: FileSystem): string {
  if (type === 'xfs' || type === 'swap') return '0';
  return mount === '/' ? '1' : '2';
}
