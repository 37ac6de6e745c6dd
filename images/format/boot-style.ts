import { z } from 'zod';

/** How a release boots, and by what its initramfs comes to its root. */
export const BootStyle = z.enum([
  'live-boot',
  'dracut-live',
  'casper',
  'classic',
  'installer',
  'mini',
  'disk-image',
]);
export type BootStyle = z.infer<typeof BootStyle>;

/** Roles of the artefacts that a machine boots from. */
export const BOOT_ROLES = ['kernel', 'initramfs', 'root'] as const;
export type BootRole = (typeof BOOT_ROLES)[number];

export function isBootRole(role: string): role is BootRole {
  return (BOOT_ROLES as readonly string[]).includes(role);
}

interface BootStyleFacts {
  /** Artefacts without which it is of no use. */
  readonly needs: readonly (BootRole | 'disk')[];
  /** Kernel arguments by which the initramfs fetches its root from a URL. */
  readonly rootArguments: (url: string) => readonly string[];
}

const none = (): readonly string[] => [];

/** The arguments of each were booted in the lab: test/boot/import.test.ts. */
export const BOOT_STYLES: Readonly<Record<BootStyle, BootStyleFacts>> = {
  /** Debian: live-boot(7). */
  'live-boot': { needs: BOOT_ROLES, rootArguments: (url) => [`fetch=${url}`] },
  /**
   * Fedora, CentOS and their kin: dracut.cmdline(7), "Booting live images". It takes the URL of a squashfs, with the
   * root in it or in LiveOS/rootfs.img, as well as that of an ISO; BOOTIF tells it the network card.
   */
  'dracut-live': {
    needs: BOOT_ROLES,
    rootArguments: (url) => [`root=live:${url}`, 'rd.live.image', 'ip=dhcp', 'rd.neednet=1'],
  },
  /** Ubuntu: casper(7). Its root is an ISO, and it takes a URL for one only where that ends in `.iso`. */
  casper: {
    needs: BOOT_ROLES,
    rootArguments: (url) => ['boot=casper', 'ip=dhcp', `url=${url}`],
  },
  /** A kernel and one large initramfs that holds the root. */
  classic: { needs: ['kernel', 'initramfs'], rootArguments: none },
  /** A distribution's own network installer. */
  installer: { needs: ['kernel', 'initramfs'], rootArguments: none },
  /** Ours: the agent is in the initramfs. */
  mini: { needs: ['kernel', 'initramfs'], rootArguments: none },
  /** A disk with a system on it and what starts that: it is installed, and nothing boots it over the network. */
  'disk-image': { needs: ['disk'], rootArguments: none },
};
