/**
 * Node carries Unicode's data of every language as one archive inside its program: 33 MB, a third of the program.
 * The agent speaks English. What it does not need is overwritten with zeros in place, which compress to nothing and
 * move nothing; ICU takes an item without its signature for missing, and falls back to the root locale.
 * Source of the layout: ICU, `common/ucmndata.h` and `tools/toolutil/package.cpp` ("CmnD", a table of names and offsets).
 */
const FORMAT = Buffer.from('CmnD');
/** Of an archive's header, which begins with its own length. */
const MAGIC = [0xda, 0x27] as const;
/** From the beginning of the header to `FORMAT`. */
const FORMAT_AT = 12;
const MOST_ITEMS = 100_000;

/** Items that stay: the root locale, English, and whatever is of no language. */
const KEPT: readonly RegExp[] = [
  // Of what names every locale, `pool` holds the keys that all share, and `res_index` tells which there are.
  /(^|\/)(root|en|en_US|en_US_POSIX|pool|res_index)\.res$/,
  /^(supplementalData|likelySubtags|langInfo|numberingSystems|keyTypeData|plurals|pluralRanges|dayPeriods)\.res$/,
  /^(metadata|metaZones|timezoneTypes|windowsZones|zoneinfo64|genderList|currencyNumericCodes|units|icustd|icuver|grammaticalFeatures)\.res$/,
  /^[^/]*\.(icu|nrm|spp)$/,
  /^coll\/ucadata\.icu$/,
  /^brkitr\/(char|line|sent|title|word)\.brk$/,
  // Byte orders and single bytes, which programs write at each other.
  /^(ibm-5348_P100-1997|ibm-923_P100-1998|us-ascii|iso-8859_1-1998)\.cnv$/,
];

interface Item {
  readonly name: string;
  readonly start: number;
  readonly end: number;
}

export interface TrimmedNode {
  readonly bytes: Uint8Array;
  /** Bytes that are zeros now; 0 where the archive was not found, and the program is whole. */
  readonly trimmedBytes: number;
}

/** @param program the bytes of Node; they are left alone. */
export function trimLocales(program: Uint8Array): TrimmedNode {
  const bytes = Buffer.from(program);
  const found = archiveItems(bytes).filter(({ name }) => !KEPT.some((pattern) => pattern.test(name)));
  for (const { start, end } of found) bytes.fill(0, start, end);
  return { bytes, trimmedBytes: found.reduce((sum, { start, end }) => sum + end - start, 0) };
}

/** The items of the one archive in a program, all but the last, whose end nothing tells. */
function archiveItems(bytes: Buffer): readonly Item[] {
  for (let at = bytes.indexOf(FORMAT); at >= 0; at = bytes.indexOf(FORMAT, at + 1)) {
    const items = itemsAt(bytes, at - FORMAT_AT);
    if (items.length > 0) return items;
  }
  return [];
}

function itemsAt(bytes: Buffer, header: number): readonly Item[] {
  if (header < 0 || bytes[header + 2] !== MAGIC[0] || bytes[header + 3] !== MAGIC[1]) return [];
  const table = header + bytes.readUInt16LE(header);
  if (table + 4 > bytes.length) return [];
  const count = bytes.readUInt32LE(table);
  if (count < 2 || count > MOST_ITEMS || table + 4 + 8 * count > bytes.length) return [];
  const starts = Array.from({ length: count }, (_, index) => {
    const entry = table + 4 + 8 * index;
    return { nameAt: table + bytes.readUInt32LE(entry), start: table + bytes.readUInt32LE(entry + 4) };
  });
  const items = starts.slice(0, -1).map(({ nameAt, start }, index) => ({
    // `icudt78l/coll/zh.res`: the first folder is the version's.
    name: bytes.toString('latin1', nameAt, bytes.indexOf(0, nameAt)).replace(/^icudt\d+[lb]\//, ''),
    start,
    end: starts[index + 1]?.start ?? start,
  }));
  const isOrdered = items.every(({ start, end }) => table < start && start <= end && end <= bytes.length);
  return isOrdered ? items : [];
}
