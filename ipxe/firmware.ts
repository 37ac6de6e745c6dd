/** iPXE binaries that a machine can be given, by the name under which it asks for them. */
export interface Firmware {
  readonly name: string;
  /** Where Debian's `ipxe` package puts it. */
  readonly path: string;
}

/**
 * Debian's builds. `snponly.efi` rather than `ipxe.efi`: native drivers hang on some boards
 * (boot-protocols.md, quirk 24).
 */
export const FIRMWARE = {
  'undionly.kpxe': { name: 'undionly.kpxe', path: '/usr/lib/ipxe/undionly.kpxe' },
  'snponly.efi': { name: 'snponly.efi', path: '/usr/lib/ipxe/snponly.efi' },
} as const satisfies Readonly<Record<string, Firmware>>;

export type FirmwareName = keyof typeof FIRMWARE;

export interface Platform {
  /** For people: `BIOS`, `UEFI x64`. */
  readonly name: string;
  /** Undefined where we have no binary for it. */
  readonly firmware: FirmwareName | undefined;
}

/**
 * Client architectures of DHCP option 93 (RFC 4578 and IANA's list after it). x64 firmware reports 7 or 9,
 * whatever the RFC's errata say (quirk 7).
 */
const PLATFORMS: Readonly<Record<number, Platform>> = {
  0: { name: 'BIOS', firmware: 'undionly.kpxe' },
  6: { name: 'UEFI IA32', firmware: undefined },
  7: { name: 'UEFI x64', firmware: 'snponly.efi' },
  9: { name: 'UEFI x64', firmware: 'snponly.efi' },
  10: { name: 'UEFI ARM32', firmware: undefined },
  11: { name: 'UEFI ARM64', firmware: undefined },
  15: { name: 'UEFI HTTP IA32', firmware: undefined },
  16: { name: 'UEFI HTTP x64', firmware: 'snponly.efi' },
  18: { name: 'UEFI HTTP ARM32', firmware: undefined },
  19: { name: 'UEFI HTTP ARM64', firmware: undefined },
};

/** The platform of the first architecture that we know. A client that names none is taken for BIOS. */
export function platformOf(architectures: readonly number[]): Platform {
  const known = architectures.map((number) => PLATFORMS[number]).find((platform) => platform !== undefined);
  if (known) return known;
  const [first = 0] = architectures;
  return PLATFORMS[first] ?? { name: `architecture ${first}`, firmware: undefined };
}
