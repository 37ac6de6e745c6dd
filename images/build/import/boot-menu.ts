import { posix } from 'node:path';
import { KernelArgument } from '@bootswarm/images/format';

/** A boot menu of a medium: isolinux's or GRUB's. */
export interface BootMenu {
  readonly path: string;
  readonly text: string;
}

export interface MenuArguments {
  /** Path of the menu; undefined where none names the kernel. */
  readonly menu: string | undefined;
  readonly taken: readonly string[];
  /** They speak of the medium or of the menu itself. */
  readonly left: readonly string[];
}

/**
 * Of the medium, or of how it comes to its root: that we say ourselves. live-boot(7), casper(7), dracut.cmdline(7),
 * and Anaconda's boot options.
 */
const ABOUT_THE_MEDIUM = [
  /^(initrd|root|rootfstype|boot|BOOT_IMAGE|BOOTIF|ip|fetch|httpfs|ftpfs|url|iso-url|netboot|nfsroot)(=|$)/,
  /^(findiso|fromiso|isofrom|iso-scan\/filename|iso_filename|img_dev|img_loop|live-media.*|bootfrom|uuid)(=|$)/,
  /^(rd\.live\.(image|check|dir|squashimg)|liveimg|check|CDLABEL|inst\.(stage2|repo|ks)|stage2|repo|method|ks)(=|$)/,
  /^(cdrom-detect\/.*|file|preseed\/file|cloud-config-url|ds|autoinstall|persistent|persistence.*|noprompt)(=|$)/,
  /^(toram|todisk|ignore_uuid|splash|vga|gfxpayload|ro|rw)(=|$)/,
  /^(--|---)$/,
];

/**
 * The arguments that the medium's own boot menu gives the kernel: those of the entry that the menu calls its default,
 * else of the first that boots this kernel. Isolinux writes them behind `append`, GRUB behind the kernel's path.
 */
export function menuArguments(menus: readonly BootMenu[], kernelPath: string): MenuArguments {
  for (const { path, text } of menus) {
    const entries = [...isolinuxEntries(text), ...grubEntries(text)];
    const ours = entries.filter(({ kernel }) => posix.basename(kernel) === posix.basename(kernelPath));
    const entry = ours.find(({ isDefault }) => isDefault) ?? ours[0];
    if (entry === undefined) continue;
    const words = entry.words.filter((word) => word !== '');
    const isTaken = (word: string): boolean =>
      !ABOUT_THE_MEDIUM.some((pattern) => pattern.test(word)) &&
      // A variable of GRUB's, such as $linux_gfx_mode, is nothing to a kernel.
      !word.includes('$') &&
      KernelArgument.safeParse(word).success;
    const taken = [...new Set(words.filter(isTaken))];
    return { menu: path, taken, left: words.filter((word) => !isTaken(word) && !/^-{2,3}$/.test(word)) };
  }
  return { menu: undefined, taken: [], left: [] };
}

interface MenuEntry {
  readonly kernel: string;
  readonly words: readonly string[];
  readonly isDefault: boolean;
}

function isolinuxEntries(text: string): MenuEntry[] {
  const defaultLabel = /^\s*default\s+(\S+)\s*$/im.exec(text)?.[1];
  return text
    .split(/^\s*label\s+/im)
    .slice(1)
    .flatMap((block): MenuEntry[] => {
      const kernel = /^\s*(?:kernel|linux)\s+(\S+)/im.exec(block)?.[1];
      const append = /^\s*append\s+(.*)$/im.exec(block)?.[1] ?? '';
      if (kernel === undefined) return [];
      const isDefault = /^\s*menu default\s*$/im.test(block) || block.split(/\s/, 1)[0] === defaultLabel;
      return [{ kernel, words: append.trim().split(/\s+/), isDefault }];
    });
}

function grubEntries(text: string): MenuEntry[] {
  // `linux (loop)/casper/vmlinuz boot=casper`; `linuxefi` on older media of Fedora. A line may go on after `\`.
  const lines = text.replace(/\\\r?\n/g, ' ').matchAll(/^\s*linux(?:efi|16)?\s+(\S+)[ \t]*(.*)$/gim);
  return [...lines]
    .filter(([, kernel = '']) => kernel.includes('/'))
    .map(([, kernel = '', words = '']) => ({ kernel, words: words.trim().split(/\s+/), isDefault: false }));
}
