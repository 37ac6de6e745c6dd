const SECTOR_BYTES = 512;
/** UEFI 2.10, sections 5.2.1 and 5.3: tables 5.1, 5.5 and 5.6. */
const MBR_TABLE_AT = 446;
const MBR_ENTRY_BYTES = 16;
const MBR_ENTRIES = 4;
const PROTECTIVE = 0xee;
const GPT_MOST_ENTRIES = 1024;
/** Of an EFI system partition: UEFI 2.10, section 5.2.2, and table 5.7 as its bytes stand on a disk. */
const ESP_IN_MBR = 0xef;
const ESP_IN_GPT = Buffer.from('28732ac11ff8d211ba4b00a0c93ec93b', 'hex');

/** A partition as the first bytes of its disk tell of it. */
interface FoundPartition {
  /** From 1, as the kernel counts. */
  readonly number: number;
  readonly startBytes: number;
  readonly isEsp: boolean;
}

/**
 * The partitions of a disk, as far as its first bytes say so. Pure.
 * @param head of the disk: a GPT is in the first 34 sectors mostly, an MBR in the first.
 */
export function partitionsIn(head: Buffer): readonly FoundPartition[] {
  if (head.length < SECTOR_BYTES || head.readUInt16LE(SECTOR_BYTES - 2) !== 0xaa55) return [];
  const table = head.subarray(MBR_TABLE_AT, MBR_TABLE_AT + MBR_ENTRIES * MBR_ENTRY_BYTES);
  const entries = Array.from({ length: MBR_ENTRIES }, (_, index) => {
    const entry = table.subarray(index * MBR_ENTRY_BYTES);
    return { number: index + 1, type: entry[4] ?? 0, start: entry.readUInt32LE(8) };
  }).filter(({ type }) => type !== 0);
  if (entries.some(({ type }) => type === PROTECTIVE)) return gptPartitions(head);
  return entries.map(({ number, type, start }) => ({
    number,
    startBytes: start * SECTOR_BYTES,
    isEsp: type === ESP_IN_MBR,
  }));
}

function gptPartitions(head: Buffer): readonly FoundPartition[] {
  const header = head.subarray(SECTOR_BYTES, 2 * SECTOR_BYTES);
  if (header.length < SECTOR_BYTES || header.toString('latin1', 0, 8) !== 'EFI PART') return [];
  const at = Number(header.readBigUInt64LE(72)) * SECTOR_BYTES;
  const [count, bytes] = [Math.min(header.readUInt32LE(80), GPT_MOST_ENTRIES), header.readUInt32LE(84)];
  const found: FoundPartition[] = [];
  for (let index = 0; index < count; index += 1) {
    const entry = head.subarray(at + index * bytes, at + index * bytes + 128);
    if (entry.length < 128) break;
    const type = entry.subarray(0, 16);
    if (type.every((byte) => byte === 0)) continue;
    found.push({
      number: index + 1,
      startBytes: Number(entry.readBigUInt64LE(32)) * SECTOR_BYTES,
      isEsp: type.equals(ESP_IN_GPT),
    });
  }
  return found;
}

/** Whether a sector is the first of a FAT, of which UEFI starts what it finds: fatgen103, "Boot Sector and BPB". Pure. */
export function isFat(sector: Buffer): boolean {
  return [54, 82].some((at) => sector.toString('latin1', at, at + 3) === 'FAT');
}
