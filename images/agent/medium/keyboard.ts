import { closeSync, constants, openSync } from 'node:fs';
import { ReadStream } from 'node:tty';

const { O_RDWR, O_NOCTTY, O_NONBLOCK } = constants;

/** What persons at the machine type. */
export interface Keys {
  /** The next character; undefined where none comes for so long. */
  next(ms: number): Promise<string | undefined>;
  /** Forgets what was typed so far: it was meant for a boot menu. */
  drop(): void;
}

/** The keys of every console: the screen's keyboard, and the serial line. */
export class Keyboard implements Keys {
  #typed = '';
  #heard = (): void => {};

  /** @param names as in /sys/class/tty/console/active. One that cannot be opened has no keys. */
  constructor(names: readonly string[]) {
    for (const name of names) this.#open(`/dev/${name}`);
  }

  async next(ms: number): Promise<string | undefined> {
    if (this.#typed === '')
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, ms);
        this.#heard = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    const [key] = this.#typed;
    this.#typed = this.#typed.slice(1);
    return key;
  }

  drop(): void {
    this.#typed = '';
  }

  #open(path: string): void {
    let handle: number | undefined;
    try {
      handle = openSync(path, O_RDWR | O_NOCTTY | O_NONBLOCK);
      const stream = new ReadStream(handle);
      stream.on('error', () => stream.destroy());
      // Each key by itself, and not a line once it is complete.
      stream.setRawMode(true);
      stream.setEncoding('latin1').on('data', (text: string) => {
        this.#typed += text;
        this.#heard();
      });
    } catch {
      if (handle !== undefined) closeSync(handle);
    }
  }
}

/** What is typed until Enter. */
export async function typedLine(keys: Keys): Promise<string> {
  for (let line = ''; ; ) {
    const key = await keys.next(3_600_000);
    if (key === undefined) continue;
    if (key === '\r' || key === '\n') return line.trim();
    const isRubout = key === '\b' || key === '\x7f';
    line = isRubout ? line.slice(0, -1) : line + key;
  }
}
