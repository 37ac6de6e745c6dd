import { constants } from 'node:fs';
import { open } from 'node:fs/promises';

/** printk levels of a record, in the low bits of its first number: Documentation/ABI/testing/dev-kmsg. */
const LEVEL_BITS = 7;
const WARNING = 4;
/** The largest record of the kernel fits; a smaller buffer is refused. */
const RECORD_MOST_BYTES = 8 * 1024;
/** What is told at once: the last of it, as that is what went wrong. */
const TOLD_MOST_BYTES = 64 * 1024;
const LINE_MOST = 500;

/** A warning of the kernel, or worse. */
export interface KernelWarning {
  readonly sequence: number;
  /** `kernel 12.345678 s  ata1: link is slow to respond`. */
  readonly line: string;
}

/**
 * A record of /dev/kmsg: undefined for what is no warning, or was not said by the kernel itself. Pure.
 * @param record `4,1234,12345678,-;text`, with properties in the lines that follow.
 */
export function kernelWarningIn(record: string): KernelWarning | undefined {
  const [, priority = '', sequence, time, text = ''] = /^(\d+),(\d+),(\d+),[^;]*;([^\n]*)/.exec(record) ?? [];
  const isOfKernel = Number(priority) <= LEVEL_BITS;
  if (sequence === undefined || !isOfKernel || (Number(priority) & LEVEL_BITS) > WARNING) return undefined;
  const seconds = (Number(time) / 1e6).toFixed(6);
  const line = `kernel ${seconds} s  ${text.replace(/[^\x20-\x7e]+/g, ' ')}`.slice(0, LINE_MOST);
  return { sequence: Number(sequence), line };
}

/** The last of lines that are so many bytes together. Pure. */
export function tailOf(lines: readonly string[], mostBytes: number): readonly string[] {
  let bytes = 0;
  const first = lines.findLastIndex((line) => {
    bytes += line.length;
    return bytes > mostBytes;
  });
  return lines.slice(first + 1);
}

/** What the kernel warns of. */
export class KernelLog {
  readonly #path: string;
  #told = -1;

  constructor(path = '/dev/kmsg') {
    this.#path = path;
  }

  /** The last 64 KiB of what was not told yet. @throws what the system says. */
  async news(): Promise<readonly string[]> {
    const found: KernelWarning[] = [];
    for await (const record of this.#records()) {
      const warning = kernelWarningIn(record);
      if (warning && warning.sequence > this.#told) found.push(warning);
    }
    this.#told = found.at(-1)?.sequence ?? this.#told;
    return tailOf(
      found.map(({ line }) => line),
      TOLD_MOST_BYTES,
    );
  }

  async *#records(): AsyncGenerator<string, void> {
    await using file = await open(this.#path, constants.O_RDONLY | constants.O_NONBLOCK);
    const memory = Buffer.alloc(RECORD_MOST_BYTES);
    for (;;) {
      try {
        const { bytesRead } = await file.read(memory, 0, memory.length, null);
        if (bytesRead === 0) return;
        yield memory.toString('utf8', 0, bytesRead);
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        if (code === 'EAGAIN') return;
        // The record was written over meanwhile: the next one that is there comes next.
        if (code !== 'EPIPE') throw error;
      }
    }
  }
}
