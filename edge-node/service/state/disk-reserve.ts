import { statfsSync } from 'node:fs';
import { problem } from '../problems.ts';

/**
 * Refuses writes while less than `reserveBytes` are free on the disk of a folder. lmdb must not meet a full disk: it
 * then rejects promises that nobody can reach, and has been seen to corrupt its heap.
 */
export class DiskReserve {
  readonly #freeBytes: () => number;

  /** @param freeBytes of the disk; asked for before each write. */
  constructor(freeBytes: () => number) {
    this.#freeBytes = freeBytes;
  }

  static of(folder: string): DiskReserve {
    return new DiskReserve(() => {
      const { bavail, bsize } = statfsSync(folder);
      return bavail * bsize;
    });
  }

  /** @throws Problem disk_full */
  require(reserveBytes: number): void {
    if (this.#freeBytes() < reserveBytes) throw problem('disk_full');
  }
}
