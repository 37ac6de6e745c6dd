import { zstdCompressSync } from 'node:zlib';
import type { CpioEntry } from './cpio.ts';

/** A mini image is to stay within this, kernel and initramfs together (images/decisions/0008). */
export const MINI_MOST_BYTES = 50_000_000;

/** What a part of the initramfs takes. */
export interface PartSize {
  readonly part: string;
  /** As it lies in the memory of a machine. */
  readonly bytes: number;
  /** Its share of the compressed initramfs: estimated, because parts are compressed together. */
  readonly compressedBytes: number;
}

/**
 * What each part takes. Each is compressed on its own, fast, and what came of the whole is shared out in proportion:
 * within a tenth of what xz makes of the parts.
 */
export function partSizes(
  parts: Readonly<Record<string, readonly CpioEntry[]>>,
  initramfsBytes: number,
): readonly PartSize[] {
  const measured = Object.entries(parts).map(([part, entries]) => {
    const files = entries.flatMap((entry) => (entry.kind === 'file' ? [entry.bytes] : []));
    const whole = Buffer.concat(files);
    return { part, bytes: whole.length, fast: zstdCompressSync(whole).length };
  });
  const sum = measured.reduce((total, { fast }) => total + fast, 0);
  return measured.map(({ part, bytes, fast }) => ({
    part,
    bytes,
    compressedBytes: Math.round((fast / sum) * initramfsBytes),
  }));
}
