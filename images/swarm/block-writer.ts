import type { FileHandle } from 'node:fs/promises';

/** Bytes of one write: a socket gives 64 KiB at a time, and each write costs a turn of a thread. */
const BLOCK_BYTES = 1024 * 1024;

/** Writes what comes in small parts to a file in blocks, each while the next one gathers. Holds two blocks. */
export class BlockWriter {
  readonly #file: FileHandle;
  /** Byte of the file at which the block that gathers begins. */
  #at: number;
  /** One gathers, the other is being written. */
  #blocks: readonly [Buffer, Buffer] = [
    Buffer.allocUnsafeSlow(BLOCK_BYTES),
    Buffer.allocUnsafeSlow(BLOCK_BYTES),
  ];
  #filled = 0;
  #writing = Promise.resolve();

  /** @param at byte of the file to begin at. */
  constructor(file: FileHandle, at: number) {
    this.#file = file;
    this.#at = at;
  }

  /** The part is copied: its memory may be used again. @throws what the disk throws of a block before. */
  async add(part: Uint8Array): Promise<void> {
    for (let from = 0; from < part.length; ) {
      const piece = part.subarray(from, from + BLOCK_BYTES - this.#filled);
      this.#blocks[0].set(piece, this.#filled);
      this.#filled += piece.length;
      from += piece.length;
      if (this.#filled === BLOCK_BYTES) await this.#begin();
    }
  }

  /** Resolves when all is written. */
  async flush(): Promise<void> {
    await this.#begin();
    await this.#writing;
  }

  /** Waits for the block before and begins to write the one that has gathered. */
  async #begin(): Promise<void> {
    await this.#writing;
    const [gathered, free] = this.#blocks;
    this.#writing = this.#write(gathered.subarray(0, this.#filled), this.#at);
    // Whoever adds or flushes next is told.
    this.#writing.catch(() => {});
    this.#blocks = [free, gathered];
    this.#at += this.#filled;
    this.#filled = 0;
  }

  async #write(block: Buffer, at: number): Promise<void> {
    for (let done = 0; done < block.length; ) {
      const { bytesWritten } = await this.#file.write(block, done, block.length - done, at + done);
      done += bytesWritten;
    }
  }
}
