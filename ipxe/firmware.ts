/** A boot file that machines ask for by its name, and where it comes from. */
export interface Firmware {
  readonly name: string;
  /** Where Debian's package puts it. */
  readonly path: string;
  /** Debian's package. */
  readonly package: string;
  /** An edge without it does not start: nothing would boot. */
  readonly isRequired: boolean;
}

/**
 * Debian's builds. `snponly.efi` rather than `ipxe.efi`: native drivers hang on some boards
 * (boot-protocols.md, quirk 24).
 */
export const FIRMWARE: Readonly<Record<string, Firmware>> = {
  'undionly.kpxe': ofIpxe('undionly.kpxe', true),
  'snponly.efi': ofIpxe('snponly.efi', true),
  // For boards on which the others hang or lose the card (quirks 23 and 24).
  'undionly.kkpxe': ofIpxe('undionly.kkpxe', false),
  'ipxe.efi': ofIpxe('ipxe.efi', false),
  'ipxe.pxe': ofIpxe('ipxe.pxe', false),
  // As a Linux kernel, for PXELINUX.
  'ipxe.lkrn': ofIpxe('ipxe.lkrn', false),
  // Secure Boot: firmware checks shim, shim checks GRUB, GRUB has shim check the kernel.
  'shimx64.efi': shim('shimx64.efi'),
  'bootx64.efi': shim('bootx64.efi'),
  'grubx64.efi': {
    name: 'grubx64.efi',
    path: '/usr/lib/grub/x86_64-efi-signed/grubnetx64.efi.signed',
    package: 'grub-efi-amd64-signed',
    isRequired: false,
  },
  'memtest.bin': memtest('memtest.bin', '/boot/memtest86+x64.bin'),
  'memtest.efi': memtest('memtest.efi', '/boot/memtest86+x64.efi'),
};

/** Of a file in an operator's `--firmware` folder: as policy may name it, and no path. */
export const FIRMWARE_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;
/** Of each such file: firmware has no more, and all of it is held in memory. */
export const FIRMWARE_MOST_BYTES = 32 * 1024 * 1024;

function ofIpxe(name: string, isRequired: boolean): Firmware {
  return { name, path: `/usr/lib/ipxe/${name}`, package: 'ipxe', isRequired };
}

function shim(name: string): Firmware {
  return { name, path: '/usr/lib/shim/shimx64.efi.signed', package: 'shim-signed', isRequired: false };
}

function memtest(name: string, path: string): Firmware {
  return { name, path, package: 'memtest86+', isRequired: false };
}
