import type { Artefact } from '@bootswarm/images/format';
import type { ByteRange } from './range.ts';

/** Where an artefact's bytes come from: the controller's HTTP now, a swarm of peers later. */
export interface ArtefactSource {
  /** The bytes of a range of the artefact, and no others. */
  read(artefact: Artefact, range: ByteRange, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>>;
}

/** Ranges that are asked for at once, so that a far source costs few round trips. Their bytes wait in its sockets. */
const READS_AT_ONCE = 4;

/**
 * The bytes of ranges of an artefact, one range after the other.
 * @throws Error where the source sends more or less than asked for, and what it throws.
 */
export async function* readRanges(
  artefact: Artefact,
  ranges: readonly ByteRange[],
  source: ArtefactSource,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  const done = new AbortController();
  const both = AbortSignal.any([signal, done.signal]);
  const open = (range: ByteRange): Promise<AsyncIterable<Uint8Array>> => {
    const opening = source.read(artefact, range, both);
    // Told when its turn comes.
    opening.catch(() => {});
    return opening;
  };
  const opened = ranges.slice(0, READS_AT_ONCE).map(open);
  let isOver = false;
  try {
    for (const [turn, { start, end }] of ranges.entries()) {
      let at = start;
      for await (const bytes of (await opened.shift()) ?? []) {
        at += bytes.length;
        if (at > end) throw new Error(`more of ${artefact.name} came than was asked for`);
        yield bytes;
      }
      if (at < end) throw new Error(`${artefact.name} ended after ${at} of ${end} bytes`);
      const next = ranges[turn + READS_AT_ONCE];
      if (next) opened.push(open(next));
    }
    isOver = true;
  } finally {
    if (!isOver) done.abort();
  }
}

/** A stream that is read in parts as long as one says. */
export class ByteReader {
  readonly #parts: AsyncGenerator<Uint8Array, void, undefined>;
  #held: Uint8Array = new Uint8Array();

  constructor(parts: AsyncGenerator<Uint8Array, void, undefined>) {
    this.#parts = parts;
  }

  /** Fills `to` with the next bytes. @throws what the stream throws. */
  async fill(to: Uint8Array): Promise<void> {
    for (let filled = 0; filled < to.length; ) {
      if (this.#held.length === 0) {
        const { value, done } = await this.#parts.next();
        if (done) throw new Error('the stream ended before its time');
        this.#held = value;
      }
      const part = this.#held.subarray(0, to.length - filled);
      to.set(part, filled);
      filled += part.length;
      this.#held = this.#held.subarray(part.length);
    }
  }

  /** Reads to the end of the stream, so that its connection is left in order. */
  async end(): Promise<void> {
    const { done } = await this.#parts.next();
    if (!done || this.#held.length > 0) throw new Error('the stream goes on behind its end');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#parts.return();
  }
}
