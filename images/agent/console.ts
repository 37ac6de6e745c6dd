import { createWriteStream, type WriteStream } from 'node:fs';

/**
 * Lines for every console: the screen and the serial line. A console that takes nothing (a serial line whose other end
 * holds it) loses lines, and holds up nobody.
 */
export class Consoles {
  readonly #streams: readonly WriteStream[];
  static readonly #HELD_MOST_BYTES = 64 * 1024;

  /** @param names as in /sys/class/tty/console/active; /dev/console where there are none. */
  constructor(names: readonly string[]) {
    const paths = names.length === 0 ? ['/dev/console'] : names.map((name) => `/dev/${name}`);
    this.#streams = paths.map((path) => {
      const stream = createWriteStream(path, { flags: 'a' });
      stream.on('error', () => stream.destroy());
      return stream;
    });
  }

  write(line: string): void {
    for (const stream of this.#streams)
      if (!stream.destroyed && stream.writableLength < Consoles.#HELD_MOST_BYTES) stream.write(`${line}\r\n`);
  }
}
