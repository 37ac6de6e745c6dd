/** What the firmware says of the machine (DMTF DSP0134, SMBIOS). Fields that the vendor left empty are left out. */
export interface SmbiosFacts {
  readonly biosVendor?: string;
  readonly biosVersion?: string;
  readonly biosDate?: string;
  readonly manufacturer?: string;
  readonly product?: string;
  readonly serial?: string;
  readonly uuid?: string;
  readonly sku?: string;
  readonly boardManufacturer?: string;
  readonly boardProduct?: string;
  readonly boardSerial?: string;
  readonly chassisSerial?: string;
  readonly assetTag?: string;
  readonly processors: readonly SmbiosProcessor[];
  readonly memory: readonly MemoryModule[];
  /** Whether there is an IPMI controller. */
  readonly hasBmc: boolean;
}

interface SmbiosProcessor {
  readonly socket: string;
  readonly model?: string;
  readonly cores?: number;
  readonly threads?: number;
}

/** An occupied slot. */
interface MemoryModule {
  readonly slot: string;
  readonly sizeMib: number;
  readonly speedMtPerS?: number;
  readonly manufacturer?: string;
  readonly part?: string;
  readonly serial?: string;
}

interface Structure {
  readonly type: number;
  /** The formatted area with its header of 4 bytes; numbers are little-endian. */
  readonly data: DataView;
  readonly strings: readonly string[];
}

const STRUCTURES_MOST = 4096;
const TYPE = { bios: 0, system: 1, board: 2, chassis: 3, processor: 4, memory: 17, ipmi: 38, end: 127 };
/** What vendors write where they have nothing to say. */
const EMPTY =
  /^(|none|n\/a|not specified|not available|to be filled by o\.?e\.?m\.?|default string|unknown|0+|x+)$/i;

/** Reads the table of structures, as /sys/firmware/dmi/tables/DMI holds it. Never throws. */
export function decodeSmbios(table: Uint8Array): SmbiosFacts {
  const structures = readStructures(table);
  const first = (type: number): Structure | undefined => structures.find((each) => each.type === type);
  const [bios, system, board, chassis] = [TYPE.bios, TYPE.system, TYPE.board, TYPE.chassis].map(first);
  const texts = {
    biosVendor: textAt(bios, 4),
    biosVersion: textAt(bios, 5),
    biosDate: textAt(bios, 8),
    manufacturer: textAt(system, 4),
    product: textAt(system, 5),
    serial: textAt(system, 7),
    uuid: uuidAt(system, 8),
    sku: textAt(system, 25),
    boardManufacturer: textAt(board, 4),
    boardProduct: textAt(board, 5),
    boardSerial: textAt(board, 7),
    chassisSerial: textAt(chassis, 7),
    assetTag: textAt(chassis, 8),
  };
  return {
    ...Object.fromEntries(Object.entries(texts).filter(([, text]) => text !== undefined)),
    processors: structures.filter(({ type }) => type === TYPE.processor).flatMap(processorIn),
    memory: structures.filter(({ type }) => type === TYPE.memory).flatMap(memoryIn),
    hasBmc: first(TYPE.ipmi) !== undefined,
  };
}

/** Section 6.1.2: the formatted area, then its strings, each ended by NUL, and one NUL more. */
function readStructures(table: Uint8Array): readonly Structure[] {
  const structures: Structure[] = [];
  for (let at = 0; at + 4 <= table.length && structures.length < STRUCTURES_MOST; ) {
    const [type = TYPE.end, length = 0] = table.subarray(at, at + 2);
    if (length < 4 || at + length > table.length || type === TYPE.end) break;
    const data = new DataView(table.buffer, table.byteOffset + at, length);
    const strings: string[] = [];
    at += length;
    if (table[at] === 0) at += 1;
    while (at < table.length && table[at] !== 0) {
      const end = table.indexOf(0, at);
      if (end < 0) return structures;
      strings.push(cleanText(table.subarray(at, end)));
      at = end + 1;
    }
    at += 1;
    structures.push({ type, data, strings });
  }
  return structures;
}

/** Section 7.5. */
function processorIn(structure: Structure): readonly SmbiosProcessor[] {
  const { data } = structure;
  const isPopulated = ((byteAt(data, 24) ?? 0) & 0x40) !== 0;
  if (!isPopulated) return [];
  const model = textAt(structure, 16);
  const cores = countAt(data, 35, 42);
  const threads = countAt(data, 37, 46);
  return [
    {
      socket: textAt(structure, 4) ?? '',
      ...(model === undefined ? {} : { model }),
      ...(cores === undefined ? {} : { cores }),
      ...(threads === undefined ? {} : { threads }),
    },
  ];
}

/** A count of a byte, or of two further behind where it does not fit one. */
function countAt(data: DataView, byteOffset: number, wordOffset: number): number | undefined {
  const count = byteAt(data, byteOffset);
  if (count === 0xff) return wordAt(data, wordOffset) ?? count;
  return count === undefined || count === 0 ? undefined : count;
}

/** Section 7.18. */
function memoryIn(structure: Structure): readonly MemoryModule[] {
  const { data } = structure;
  const size = wordAt(data, 12) ?? 0;
  if (size === 0 || size === 0xffff) return [];
  const isKib = (size & 0x8000) !== 0;
  const sizeMib =
    size === 0x7fff ? (longAt(data, 28) ?? 0) & 0x7fffffff : isKib ? (size & 0x7fff) / 1024 : size;
  const speed = wordAt(data, 32) || wordAt(data, 21);
  const texts = {
    manufacturer: textAt(structure, 23),
    part: textAt(structure, 26),
    serial: textAt(structure, 24),
  };
  return [
    {
      slot: textAt(structure, 16) ?? '',
      sizeMib,
      ...(speed === undefined || speed === 0 || speed === 0xffff ? {} : { speedMtPerS: speed }),
      ...Object.fromEntries(Object.entries(texts).filter(([, text]) => text !== undefined)),
    },
  ];
}

/** Section 7.2.1: the first three fields are little-endian. All 0 or all F mean that there is none. */
function uuidAt(structure: Structure | undefined, at: number): string | undefined {
  if (!structure || structure.data.byteLength < at + 16) return undefined;
  const hex = (offset: number, count: number): string =>
    Array.from({ length: count }, (_, i) =>
      structure.data
        .getUint8(at + offset + i)
        .toString(16)
        .padStart(2, '0'),
    ).join('');
  const number = (offset: number, digits: number): string =>
    (digits === 8 ? structure.data.getUint32(at + offset, true) : structure.data.getUint16(at + offset, true))
      .toString(16)
      .padStart(digits, '0');
  const uuid = [number(0, 8), number(4, 4), number(6, 4), hex(8, 2), hex(10, 6)].join('-');
  return /^[0-]+$|^[f-]+$/.test(uuid) ? undefined : uuid;
}

/** A byte that counts the structure's strings from 1; 0 is none. */
function textAt(structure: Structure | undefined, at: number): string | undefined {
  const number = structure && byteAt(structure.data, at);
  const text = number ? structure?.strings[number - 1] : undefined;
  return text === undefined || EMPTY.test(text) ? undefined : text;
}

function cleanText(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, 200))
    .toString('latin1')
    .replace(/[^\x20-\x7e]+/g, ' ')
    .trim();
}

function byteAt(data: DataView, at: number): number | undefined {
  return at < data.byteLength ? data.getUint8(at) : undefined;
}

function wordAt(data: DataView, at: number): number | undefined {
  return at + 2 <= data.byteLength ? data.getUint16(at, true) : undefined;
}

function longAt(data: DataView, at: number): number | undefined {
  return at + 4 <= data.byteLength ? data.getUint32(at, true) : undefined;
}
