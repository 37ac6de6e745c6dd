import { readFile, stat } from 'node:fs/promises';

/** Of all boot files together. A kernel and its initramfs take 30 to 100 MB. */
const MOST_BYTES = 1024 * 1024 * 1024;

/** Kernels and initramfs in memory, for TFTP: every machine asks for the same few at the same time. */
export class BootFiles {
  /** Undefined while a file is being read, or where it found no room. */
  readonly #held = new Map<string, Uint8Array | undefined>();
  readonly #mostBytes: number;
  #bytes = 0;

  constructor(mostBytes = MOST_BYTES) {
    this.#mostBytes = mostBytes;
  }

  /** The bytes of a file, once they are here. The first who asks makes them come, and reads the file meanwhile. */
  bytesOf(sha256: string, path: string): Uint8Array | undefined {
    if (!this.#held.has(sha256)) {
      this.#held.set(sha256, undefined);
      // Who cannot be read now is read from the disk by each request, which then says why.
      this.#read(sha256, path).catch(() => this.#held.delete(sha256));
    }
    return this.#held.get(sha256);
  }

  /** Forgets all but these. */
  keepOnly(wanted: ReadonlySet<string>): void {
    for (const [sha256, bytes] of this.#held) {
      if (wanted.has(sha256)) continue;
      this.#bytes -= bytes?.length ?? 0;
      this.#held.delete(sha256);
    }
  }

  async #read(sha256: string, path: string): Promise<void> {
    const { size } = await stat(path);
    if (this.#bytes + size > this.#mostBytes) return;
    this.#bytes += size;
    const bytes = await readFile(path).catch((error: unknown) => {
      this.#bytes -= size;
      throw error;
    });
    // Forgotten while it was read.
    if (this.#held.has(sha256)) this.#held.set(sha256, bytes);
    else this.#bytes -= size;
  }
}
