const SECTOR_BYTES = 512;
/** UEFI 2.10, sections 5.2.1 and 5.3: tables 5.1, 5.5 and 5.6. */
const MBR_TABLE_AT = 446;
const MBR_ENTRY_BYTES = 16;
const MBR_ENTRIES = 4;
const PROTECTIVE = 0xee;
const GPT_MOST_ENTRIES = 1024;

/**
 * Where the partitions of a disk begin, in bytes, as far as its first bytes say so. Pure.
 * @param head of the disk: a GPT is in the first 34 sectors mostly, an MBR in the first.
 */
export function partitionStarts(head: Buffer): readonly number[] {
  if (head.length < SECTOR_BYTES || head.readUInt16LE(SECTOR_BYTES - 2) !== 0xaa55) return [];
  const table = head.subarray(MBR_TABLE_AT, MBR_TABLE_AT + MBR_ENTRIES * MBR_ENTRY_BYTES);
  const entries = Array.from({ length: MBR_ENTRIES }, (_, index) => {
    const entry = table.subarray(index * MBR_ENTRY_BYTES);
    return { type: entry[4] ?? 0, start: entry.readUInt32LE(8) };
  }).filter(({ type }) => type !== 0);
  if (entries.some(({ type }) => type === PROTECTIVE)) return gptStarts(head);
  return entries.map(({ start }) => start * SECTOR_BYTES);
}

function gptStarts(head: Buffer): readonly number[] {
  const header = head.subarray(SECTOR_BYTES, 2 * SECTOR_BYTES);
  if (header.length < SECTOR_BYTES || header.toString('latin1', 0, 8) !== 'EFI PART') return [];
  const at = Number(header.readBigUInt64LE(72)) * SECTOR_BYTES;
  const [count, bytes] = [Math.min(header.readUInt32LE(80), GPT_MOST_ENTRIES), header.readUInt32LE(84)];
  const starts: number[] = [];
  for (let index = 0; index < count; index += 1) {
    const entry = head.subarray(at + index * bytes, at + index * bytes + 128);
    if (entry.length < 128) break;
    if (entry.subarray(0, 16).some((byte) => byte !== 0))
      starts.push(Number(entry.readBigUInt64LE(32)) * SECTOR_BYTES);
  }
  return starts;
}

/** Whether a sector is the first of a FAT, of which UEFI starts what it finds: fatgen103, "Boot Sector and BPB". Pure. */
export function isFat(sector: Buffer): boolean {
  return [54, 82].some((at) => sector.toString('latin1', at, at + 3) === 'FAT');
}
