/** The file system of the kernel puts the attributes before each value. */
const ATTRIBUTES_BYTES = 4;
const ACTIVE = 1;
const ENTRIES_MOST = 256;

interface BootEntry {
  /** `0001`, as BootOrder and efibootmgr(8) name it. */
  readonly number: string;
  readonly label: string;
  readonly isActive: boolean;
  readonly kind: 'network' | 'disk' | 'other';
}

export interface EfiFacts {
  readonly secureBoot: 'on' | 'off' | 'setup';
  /** In the order in which the firmware tries them. */
  readonly bootOrder: readonly BootEntry[];
}

/**
 * Reads the boot order and the state of Secure Boot. Never throws.
 * @param read the file of a variable with its attributes, by its name; undefined where there is none.
 */
export function decodeEfiVariables(read: (name: string) => Uint8Array | undefined): EfiFacts {
  const value = (name: string): Uint8Array | undefined => read(name)?.subarray(ATTRIBUTES_BYTES);
  const order = value('BootOrder') ?? new Uint8Array();
  const numbers = Array.from({ length: Math.min(order.length >> 1, ENTRIES_MOST) }, (_, i) =>
    uint16(order, i * 2)
      .toString(16)
      .toUpperCase()
      .padStart(4, '0'),
  );
  const isSetup = value('SetupMode')?.[0] === 1;
  const isOn = value('SecureBoot')?.[0] === 1;
  return {
    secureBoot: isOn ? 'on' : isSetup ? 'setup' : 'off',
    bootOrder: numbers.flatMap((number) => {
      const option = value(`Boot${number}`);
      const entry = option && bootEntryIn(number, option);
      return entry ? [entry] : [];
    }),
  };
}

/** EFI_LOAD_OPTION (section 3.1.3): attributes, length of the device path, label in UCS-2, device path. */
function bootEntryIn(number: string, option: Uint8Array): BootEntry | undefined {
  if (option.length < 8) return undefined;
  const pathBytes = uint16(option, 4);
  let end = 6;
  while (end + 1 < option.length && uint16(option, end) !== 0) end += 2;
  const label = Buffer.from(option.subarray(6, end)).toString('utf16le');
  return {
    number,
    label: label
      .replace(/[\p{Cc}\p{Cf}]+/gu, ' ')
      .trim()
      .slice(0, 100),
    isActive: (uint16(option, 0) & ACTIVE) !== 0,
    kind: kindOf(option.subarray(end + 2, end + 2 + pathBytes)),
  };
}

/** Section 10.3: nodes of type, subtype and length. */
function kindOf(path: Uint8Array): BootEntry['kind'] {
  for (let at = 0; at + 4 <= path.length; ) {
    const [type, subtype] = path.subarray(at, at + 2);
    const length = uint16(path, at + 2);
    if (length < 4) break;
    // Messaging: MAC address, IPv4, IPv6, URI.
    if (type === 3 && (subtype === 11 || subtype === 12 || subtype === 13 || subtype === 24))
      return 'network';
    // Media: hard drive, CD-ROM; messaging: NVMe, SATA.
    if (
      (type === 4 && (subtype === 1 || subtype === 2)) ||
      (type === 3 && (subtype === 23 || subtype === 18))
    )
      return 'disk';
    at += length;
  }
  return 'other';
}

function uint16(bytes: Uint8Array, at: number): number {
  return (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8);
}
