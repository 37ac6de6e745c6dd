import { execFileSync } from 'node:child_process';
import { closeSync, fstatSync, openSync, readSync, writeSync } from 'node:fs';

const SECTOR = 512;
const MAGIC = 0x6a736677736872n;
/** Flags of an entry: Documentation/admin-guide/device-mapper/log-writes.rst, which QEMU's `blklogwrites` follows. */
const [FLUSH, FUA, DISCARD] = [1n, 2n, 4n];
const CHUNK = 2 ** 20;

/** One thing that a machine asked of a disk. */
export interface LoggedWrite {
  readonly kind: 'write' | 'discard' | 'flush';
  /** Bytes from the beginning of the disk; 0 of a flush. */
  readonly start: number;
  readonly length: number;
  /** Where in the log its bytes stand. */
  readonly data: number;
  /** Whether it was to be kept before it was answered. */
  readonly isKept: boolean;
}

/** Everything that was asked of a disk, in its order. @param file of QEMU's `blklogwrites`. */
export function readWriteLog(file: string): readonly LoggedWrite[] {
  const log = openSync(file, 'r');
  try {
    const head = Buffer.alloc(SECTOR);
    const { size } = fstatSync(log);
    readSync(log, head, 0, SECTOR, 0);
    // Not there before the first flush.
    const magic = head.readBigUInt64LE(0);
    if (magic !== MAGIC && magic !== 0n) throw new Error(`${file} is no log of writes`);
    const entries: LoggedWrite[] = [];
    // The number in the head is from the last flush: what came after it stands there all the same.
    for (let at = SECTOR; at + SECTOR <= size; ) {
      readSync(log, head, 0, SECTOR, at);
      const [sector, sectors, flags] = [0, 8, 16].map((place) => head.readBigUInt64LE(place));
      if (sector === undefined || sectors === undefined || flags === undefined) break;
      if (sectors === 0n && flags === 0n) break;
      const length = Number(sectors) * SECTOR;
      const kind = flags & DISCARD ? 'discard' : sectors === 0n ? 'flush' : 'write';
      const data = at + SECTOR;
      if (kind !== 'flush')
        entries.push({ kind, start: Number(sector) * SECTOR, length, data, isKept: (flags & FUA) !== 0n });
      if (flags & FLUSH || kind === 'flush')
        entries.push({ kind: 'flush', start: 0, length: 0, data: 0, isKept: true });
      at = data + (kind === 'write' ? length : 0);
    }
    return entries;
  } finally {
    closeSync(log);
  }
}

/**
 * Which of the writes a disk still has whose power was cut: all up to its last flush, and of those in its cache as many
 * as chance would have.
 * @param isLucky asked for each write that the disk had only in its cache.
 */
export function keptAfterCut(
  entries: readonly LoggedWrite[],
  count: number,
  isLucky: () => boolean,
): readonly LoggedWrite[] {
  const before = entries.slice(0, count);
  const flushed = before.findLastIndex(({ kind }) => kind === 'flush');
  return before.filter((entry, index) => index <= flushed || entry.isKept || isLucky());
}

/**
 * Makes a disk what writes make of another one, which stays as it is. What was discarded is left there: a disk may do
 * that, and it is the harder case.
 */
export function replay(from: string, to: string, logFile: string, entries: readonly LoggedWrite[]): void {
  // Node's own copy fills the holes.
  execFileSync('cp', ['--sparse=always', from, to]);
  const [log, disk] = [openSync(logFile, 'r'), openSync(to, 'r+')];
  const chunk = Buffer.alloc(CHUNK);
  try {
    for (const { kind, start, length, data } of entries)
      for (let done = 0; kind === 'write' && done < length; ) {
        const part = Math.min(CHUNK, length - done);
        readSync(log, chunk, 0, part, data + done);
        writeSync(disk, chunk, 0, part, start + done);
        done += part;
      }
  } finally {
    closeSync(log);
    closeSync(disk);
  }
}
