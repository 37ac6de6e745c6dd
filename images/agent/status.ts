const LINES_MOST = 200;
const LINE_MOST = 500;

/** What the status page and the console tell. */
export interface StatusView {
  readonly mac: string | undefined;
  readonly uuid: string | undefined;
  readonly addresses: readonly string[];
  readonly version: string;
  readonly kernel: string;
  readonly edge: string | undefined;
  /** What it is doing, in a line. */
  readonly doing: string;
  readonly intent: string | undefined;
  /** Whether the last word with the edge was answered. */
  readonly isHeard: boolean;
  /** Oldest first. */
  readonly lines: readonly string[];
}

/** What the agent is at, and the last that it said. */
export class Status {
  readonly #write: (line: string) => void;
  readonly #now: () => number;
  #facts: Omit<StatusView, 'lines'>;
  #lines: string[] = [];
  #unsent: string[] = [];

  /** @param write puts a line on the console. @param now seconds since the kernel started. */
  constructor(
    first: Pick<StatusView, 'uuid' | 'version' | 'kernel'>,
    write: (line: string) => void,
    now: () => number,
  ) {
    this.#facts = {
      ...first,
      mac: undefined,
      addresses: [],
      edge: undefined,
      doing: 'starting',
      intent: undefined,
      isHeard: false,
    };
    this.#write = write;
    this.#now = now;
  }

  get view(): StatusView {
    return { ...this.#facts, lines: this.#lines };
  }

  /** Notes facts, and says nothing. */
  note(facts: Partial<Omit<StatusView, 'lines' | 'version' | 'kernel'>>): void {
    this.#facts = { ...this.#facts, ...facts };
  }

  /** A line for the console, the page and the edge. */
  say(text: string): void {
    const seconds = this.#now().toFixed(1).padStart(7);
    const line = `${seconds} s  ${printable(text)}`.slice(0, LINE_MOST);
    this.#lines = [...this.#lines, line].slice(-LINES_MOST);
    this.#unsent = [...this.#unsent, line].slice(-LINES_MOST);
    this.#write(line);
  }

  /** What it does from now on; said where it is not what it did already. */
  doing(text: string): void {
    if (this.#facts.doing === text) return;
    this.#facts = { ...this.#facts, doing: text };
    this.say(text);
  }

  /** Lines that the edge was not told yet, at most so many. They stay until `sent`. */
  unsent(most: number): readonly string[] {
    return this.#unsent.slice(0, most);
  }

  sent(lines: readonly string[]): void {
    const done = new Set(lines);
    this.#unsent = this.#unsent.filter((line) => !done.has(line));
  }
}

/** What others sent may not move a cursor or ring a bell. */
function printable(text: string): string {
  return text.replace(/[^\x20-\x7e]+/g, ' ');
}
