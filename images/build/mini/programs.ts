import type { Flavour } from './drivers.ts';

/** Programs and data of Debian packages that go into the mini image. */
export interface Provision {
  /** For the report of sizes. */
  readonly part: string;
  readonly packages: readonly string[];
  /** Paths in the packages, below /usr unless they begin with a slash; `*` stands for part of a name. */
  readonly paths: readonly string[];
  readonly flavours?: readonly Flavour[];
  /** Of these, the modules of grub-modules.ts besides. */
  readonly grubPlatforms?: readonly string[];
}

/** The kernel's package, by flavour: the one for clouds has no drivers of hardware. */
const KERNEL_PACKAGES: Readonly<Record<Flavour, string>> = {
  full: 'linux-image-amd64',
  vm: 'linux-image-cloud-amd64',
};

const PROVISIONS: readonly Provision[] = [
  { part: 'busybox', packages: ['busybox'], paths: ['bin/busybox'] },
  {
    part: 'partitions',
    packages: ['fdisk', 'gdisk', 'util-linux'],
    paths: [
      ...['sbin/sfdisk', 'sbin/sgdisk', 'sbin/wipefs', 'sbin/blkid', 'sbin/blockdev', 'bin/lsblk'],
      'sbin/mkswap',
    ],
  },
  {
    part: 'volumes',
    packages: ['lvm2', 'dmsetup', 'mdadm'],
    paths: [
      ...['sbin/lvm', 'sbin/dmsetup', 'sbin/mdadm'],
      ...['pvcreate', 'pvremove', 'pvs', 'vgcreate', 'vgremove', 'vgchange', 'vgs'].map(
        (name) => `sbin/${name}`,
      ),
      ...['lvcreate', 'lvremove', 'lvchange', 'lvs'].map((name) => `sbin/${name}`),
    ],
  },
  {
    part: 'file systems',
    packages: ['e2fsprogs', 'xfsprogs', 'dosfstools', 'squashfs-tools', 'logsave'],
    paths: [
      ...[
        'sbin/mke2fs',
        'sbin/mkfs.ext4',
        'sbin/e2fsck',
        'sbin/resize2fs',
        'sbin/tune2fs',
        '/etc/mke2fs.conf',
      ],
      ...[
        'sbin/mkfs.xfs',
        'sbin/xfs_repair',
        'sbin/mkfs.fat',
        'sbin/mkfs.vfat',
        'sbin/fsck.fat',
        'bin/unsquashfs',
      ],
    ],
  },
  // Busybox's copies no extended attributes, by which programs have capabilities.
  { part: 'file systems', packages: ['coreutils'], paths: ['bin/cp'] },
  // For UEFI those as signed, below, serve with Secure Boot and without.
  {
    part: 'boot loaders',
    packages: ['grub-common', 'grub2-common', 'grub-pc-bin', 'efibootmgr'],
    paths: [
      ...['sbin/grub-install', 'bin/grub-mkimage', 'sbin/grub-probe', 'bin/grub-editenv', 'bin/efibootmgr'],
      ...['lib/grub/i386-pc/*.lst', 'lib/grub/i386-pc/*.img'],
      ...['lib/grub/i386-pc/modinfo.sh', 'lib/grub/i386-pc/grub-bios-setup'],
    ],
    grubPlatforms: ['i386-pc'],
  },
  {
    part: 'Secure Boot',
    packages: ['shim-signed', 'grub-efi-amd64-signed'],
    paths: [
      'lib/shim/shimx64.efi.signed',
      'lib/shim/mmx64.efi.signed',
      'lib/grub/x86_64-efi-signed/grubx64.efi.signed',
    ],
  },
  { part: 'rescue', packages: ['dropbear-bin'], paths: ['sbin/dropbear'] },
  {
    part: 'inventory',
    packages: ['dmidecode', 'ethtool'],
    paths: ['sbin/dmidecode', 'sbin/ethtool'],
  },
  {
    part: 'hardware',
    packages: ['ipmitool', 'nvme-cli', 'hdparm'],
    paths: ['bin/ipmitool', 'sbin/nvme', 'sbin/hdparm'],
    flavours: ['full'],
  },
  // Node's own; other libraries are found by what the programs say they need.
  { part: 'libraries', packages: ['libstdc++6', 'libgcc-s1', 'libc6'], paths: [] },
];

/** What of busybox goes by its own name. Debian's programs above come before it. */
export const APPLETS: readonly string[] = [
  ...['sh', 'ash', '[', 'test', 'echo', 'printf', 'true', 'false', 'sleep', 'date', 'env', 'id', 'hostname'],
  ...['ls', 'cat', 'cp', 'mv', 'rm', 'mkdir', 'rmdir', 'ln', 'chmod', 'chown', 'touch', 'stat', 'readlink'],
  ...[
    'realpath',
    'basename',
    'dirname',
    'mktemp',
    'find',
    'xargs',
    'sort',
    'uniq',
    'head',
    'tail',
    'wc',
    'cut',
  ],
  ...['tr', 'sed', 'grep', 'awk', 'tee', 'more', 'less', 'vi', 'cmp', 'diff', 'hexdump', 'od', 'strings'],
  ...['dd', 'sync', 'df', 'du', 'mount', 'umount', 'losetup', 'swapon', 'swapoff', 'mkswap', 'blkdiscard'],
  ...[
    'fstrim',
    'switch_root',
    'chroot',
    'mknod',
    'tar',
    'cpio',
    'gzip',
    'gunzip',
    'zcat',
    'xzcat',
    'sha256sum',
  ],
  ...[
    'ps',
    'kill',
    'killall',
    'pidof',
    'top',
    'free',
    'uptime',
    'dmesg',
    'uname',
    'nproc',
    'lsmod',
    'modprobe',
  ],
  ...['rmmod', 'modinfo', 'mdev', 'setsid', 'cttyhack', 'getty', 'stty', 'clear', 'chvt', 'reset'],
  ...[
    'ip',
    'udhcpc',
    'ping',
    'arping',
    'traceroute',
    'nslookup',
    'netstat',
    'nc',
    'wget',
    'brctl',
    'vconfig',
  ],
  ...['ifconfig', 'route', 'hwclock', 'poweroff', 'reboot', 'halt', 'timeout', 'watch', 'i2cget', 'devmem'],
];

/** Debian packages of a flavour. */
export function packagesOf(flavour: Flavour): readonly string[] {
  return [KERNEL_PACKAGES[flavour], ...provisionsOf(flavour).flatMap(({ packages }) => packages)];
}

export function provisionsOf(flavour: Flavour): readonly Provision[] {
  return PROVISIONS.filter(({ flavours }) => flavours === undefined || flavours.includes(flavour));
}
