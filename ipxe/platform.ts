/** What kind of firmware speaks; the same keys as the contract's. */
export type PlatformKey =
  | 'bios'
  | 'uefi-ia32'
  | 'uefi-x64'
  | 'uefi-arm32'
  | 'uefi-arm64'
  | 'uefi-riscv32'
  | 'uefi-riscv64'
  | 'uefi-riscv128'
  | 'uefi-loongarch32'
  | 'uefi-loongarch64'
  | 'raspberry-pi';

export interface Platform {
  /** Undefined for an architecture that has no name here. */
  readonly key: PlatformKey | undefined;
  /** For people: `BIOS`, `UEFI x64`. */
  readonly name: string;
}

/**
 * Client architectures of DHCP option 93 (RFC 4578 and IANA's list after it). x64 firmware reports 7 or 9,
 * whatever the RFC's errata say (quirk 7), and so 16 or 17 by HTTP.
 */
const PLATFORMS: Readonly<Record<number, Platform>> = {
  0: { key: 'bios', name: 'BIOS' },
  6: { key: 'uefi-ia32', name: 'UEFI IA32' },
  7: { key: 'uefi-x64', name: 'UEFI x64' },
  9: { key: 'uefi-x64', name: 'UEFI x64' },
  10: { key: 'uefi-arm32', name: 'UEFI ARM32' },
  11: { key: 'uefi-arm64', name: 'UEFI ARM64' },
  15: { key: 'uefi-ia32', name: 'UEFI HTTP IA32' },
  16: { key: 'uefi-x64', name: 'UEFI HTTP x64' },
  17: { key: 'uefi-x64', name: 'UEFI HTTP x64' },
  18: { key: 'uefi-arm32', name: 'UEFI HTTP ARM32' },
  19: { key: 'uefi-arm64', name: 'UEFI HTTP ARM64' },
  20: { key: 'bios', name: 'BIOS HTTP' },
  25: { key: 'uefi-riscv32', name: 'UEFI RISC-V 32' },
  26: { key: 'uefi-riscv32', name: 'UEFI HTTP RISC-V 32' },
  27: { key: 'uefi-riscv64', name: 'UEFI RISC-V 64' },
  28: { key: 'uefi-riscv64', name: 'UEFI HTTP RISC-V 64' },
  29: { key: 'uefi-riscv128', name: 'UEFI RISC-V 128' },
  30: { key: 'uefi-riscv128', name: 'UEFI HTTP RISC-V 128' },
  37: { key: 'uefi-loongarch32', name: 'UEFI LoongArch32' },
  38: { key: 'uefi-loongarch32', name: 'UEFI HTTP LoongArch32' },
  39: { key: 'uefi-loongarch64', name: 'UEFI LoongArch64' },
  40: { key: 'uefi-loongarch64', name: 'UEFI HTTP LoongArch64' },
  41: { key: 'raspberry-pi', name: 'Raspberry Pi' },
};

/** Of Raspberry Pi boards, whose boot ROM reports the architecture of a BIOS (quirk 19). */
const RASPBERRY_PI_OUIS = new Set([
  '28:cd:c1',
  '2c:cf:67',
  '88:a2:9e',
  'b8:27:eb',
  'd8:3a:dd',
  'dc:a6:32',
  'e4:5f:01',
]);

/**
 * The platform of the first architecture that we know. A client that names none is taken for BIOS.
 * @param mac such as `b8:27:eb:00:00:01`.
 */
export function platformOf(architectures: readonly number[], mac = ''): Platform {
  const known = architectures.map((number) => PLATFORMS[number]).find((platform) => platform !== undefined);
  const [first = 0] = architectures;
  const platform = known ?? PLATFORMS[first] ?? { key: undefined, name: `architecture ${first}` };
  const isPi = platform.key === 'bios' && RASPBERRY_PI_OUIS.has(mac.slice(0, 8));
  return isPi ? { key: 'raspberry-pi', name: 'Raspberry Pi' } : platform;
}

/** The boot file that a platform gets unless policy names another. */
export const USUAL_BOOT_FILES: Readonly<Partial<Record<PlatformKey, string>>> = {
  bios: 'undionly.kpxe',
  // Rather than ipxe.efi: native drivers hang on some boards (boot-protocols.md, quirk 24).
  'uefi-x64': 'snponly.efi',
};
