/**
 * A value of BitTorrent's encoding (BEP 3, "bencoding"). Keys are latin1 text: one character for each byte, so that none
 * is lost and their order as text is their order as bytes.
 */
export type Bencode = number | Uint8Array | readonly Bencode[] | ReadonlyMap<string, Bencode>;

/** What a decoder takes at most: it is fed by strangers. */
export interface BencodeLimits {
  readonly bytes: number;
  /** Lists and dictionaries within each other. */
  readonly depth: number;
  /** Values of every kind in all, keys not counted. */
  readonly values: number;
}

/** Room for the metadata of 48 GiB in pieces of 1 MiB, and far more than any message between peers. */
const LIMITS: BencodeLimits = { bytes: 1024 * 1024, depth: 16, values: 10_000 };

/** Bytes that are no bencoding, or one beyond the limits. */
export class BencodeUnreadable extends Error {
  override readonly name = 'BencodeUnreadable';
}

const codeOf = (character: string): number => character.charCodeAt(0);
const ZERO = codeOf('0');
const NINE = codeOf('9');
const COLON = codeOf(':');
const MINUS = codeOf('-');
const INTEGER = codeOf('i');
const LIST = codeOf('l');
const DICTIONARY = codeOf('d');
const END = codeOf('e');

/**
 * The one value that `bytes` hold, and nothing behind it. Takes time in proportion to their number. Texts are views of
 * `bytes`, so whoever keeps one keeps all.
 *
 * Strict as BEP 3 says, but for one thing: keys may come in any order, as some peers write them. A key twice is refused.
 * @throws BencodeUnreadable, naming the byte at which it went wrong.
 */
export function decodeBencode(bytes: Uint8Array, limits: Partial<BencodeLimits> = {}): Bencode {
  const decoder = new Decoder(bytes, { ...LIMITS, ...limits });
  return decoder.whole();
}

class Decoder {
  readonly #bytes: Buffer;
  readonly #limits: BencodeLimits;
  #at = 0;
  #values = 0;

  constructor(bytes: Uint8Array, limits: BencodeLimits) {
    if (bytes.length > limits.bytes) throw new BencodeUnreadable(`it has more than ${limits.bytes} bytes`);
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#limits = limits;
  }

  whole(): Bencode {
    const value = this.#value(0);
    if (this.#at < this.#bytes.length) throw this.#unreadable('something follows the value');
    return value;
  }

  #value(depth: number): Bencode {
    this.#values += 1;
    if (this.#values > this.#limits.values) throw this.#unreadable(`more than ${this.#limits.values} values`);
    const first = this.#bytes[this.#at];
    if (isDigit(first)) return this.#text();
    if (first === INTEGER) return this.#integer();
    if (first !== LIST && first !== DICTIONARY) throw this.#unreadable('no value');
    if (depth >= this.#limits.depth)
      throw this.#unreadable(`more than ${this.#limits.depth} values within each other`);
    this.#at += 1;
    const value = first === LIST ? this.#list(depth + 1) : this.#dictionary(depth + 1);
    this.#at += 1;
    return value;
  }

  #list(depth: number): Bencode[] {
    const values: Bencode[] = [];
    while (this.#bytes[this.#at] !== END) values.push(this.#value(depth));
    return values;
  }

  #dictionary(depth: number): Map<string, Bencode> {
    const entries = new Map<string, Bencode>();
    while (this.#bytes[this.#at] !== END) {
      const start = this.#at;
      if (!isDigit(this.#bytes[start])) throw this.#unreadable('a key that is no text');
      const key = this.#text().toString('latin1');
      if (entries.has(key)) throw this.#unreadable('a key that was there before', start);
      entries.set(key, this.#value(depth));
    }
    return entries;
  }

  #integer(): number {
    const start = this.#at;
    this.#at += 1;
    const isNegative = this.#bytes[this.#at] === MINUS;
    if (isNegative) this.#at += 1;
    const size = this.#digits();
    if (isNegative && size === 0) throw this.#unreadable('minus zero', start);
    if (this.#bytes[this.#at] !== END) throw this.#unreadable('an integer that does not end');
    this.#at += 1;
    return isNegative ? -size : size;
  }

  #text(): Buffer {
    const length = this.#digits();
    if (this.#bytes[this.#at] !== COLON) throw this.#unreadable('a length without a colon');
    const start = this.#at + 1;
    if (length > this.#bytes.length - start)
      throw this.#unreadable(`a text of ${length} bytes that are not there`);
    this.#at = start + length;
    return this.#bytes.subarray(start, this.#at);
  }

  /** A number without sign and leading zeros. No more digits are read than a safe integer has. */
  #digits(): number {
    const start = this.#at;
    let number = 0;
    for (let digit = this.#bytes[this.#at]; isDigit(digit); digit = this.#bytes[this.#at]) {
      number = number * 10 + (digit - ZERO);
      this.#at += 1;
      if (!Number.isSafeInteger(number)) throw this.#unreadable('a number too large', start);
    }
    const digits = this.#at - start;
    if (digits === 0) throw this.#unreadable('no digit');
    if (digits > 1 && this.#bytes[start] === ZERO) throw this.#unreadable('a leading zero', start);
    return number;
  }

  #unreadable(what: string, at = this.#at): BencodeUnreadable {
    return new BencodeUnreadable(`${what} at byte ${at}`);
  }
}

function isDigit(byte: number | undefined): byte is number {
  return byte !== undefined && byte >= ZERO && byte <= NINE;
}

/**
 * The bytes of a value, keys sorted: one encoding for one value.
 * @throws RangeError where a number is no safe integer or a key holds more than latin1.
 */
export function encodeBencode(value: Bencode): Uint8Array {
  const encoder = new Encoder();
  encoder.add(value);
  return encoder.end();
}

class Encoder {
  readonly #parts: Uint8Array[] = [];
  /** What follows the parts, as latin1: one buffer for many short values. */
  #text = '';

  add(value: Bencode): void {
    if (typeof value === 'number') {
      if (!Number.isSafeInteger(value)) throw new RangeError(`${value} is no safe integer`);
      this.#text += `i${value || 0}e`;
    } else if (value instanceof Uint8Array) {
      this.#text += `${value.length}:`;
      this.#endText();
      this.#parts.push(value);
    } else if (isDictionary(value)) {
      this.#text += 'd';
      for (const key of [...value.keys()].sort()) {
        if (/[^\0-\xff]/.test(key)) throw new RangeError('a key holds more than latin1');
        this.#text += `${key.length}:${key}`;
        this.add(value.get(key) as Bencode);
      }
      this.#text += 'e';
    } else {
      this.#text += 'l';
      for (const each of value) this.add(each);
      this.#text += 'e';
    }
  }

  end(): Uint8Array {
    this.#endText();
    return Buffer.concat(this.#parts);
  }

  #endText(): void {
    this.#parts.push(Buffer.from(this.#text, 'latin1'));
    this.#text = '';
  }
}

function isDictionary(value: Bencode): value is ReadonlyMap<string, Bencode> {
  return value instanceof Map;
}
