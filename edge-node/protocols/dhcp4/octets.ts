/** Bytes of 0 to 255 as characters and back: whatever a client sends survives a round trip, no two names merge. */

const SLAB_BYTES = 64 * 1024;

export function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
}

/** @throws RangeError when a character is above U+00FF. */
export function fromLatin1(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  putLatin1(bytes, 0, text);
  return bytes;
}

/** @throws RangeError when a character is above U+00FF. */
export function putLatin1(bytes: Uint8Array, at: number, text: string): void {
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code > 0xff) throw new RangeError(`${JSON.stringify(text)} holds a character above U+00FF`);
    bytes[at + index] = code;
  }
}

export function putUint32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24;
  bytes[at + 1] = value >>> 16;
  bytes[at + 2] = value >>> 8;
  bytes[at + 3] = value;
}

/** Zeroed memory cut from larger pieces: asking for each few hundred bytes costs more than filling them. */
export class Slab {
  #rest = new Uint8Array(0);

  take(bytes: number): Uint8Array {
    if (this.#rest.length < bytes) this.#rest = new Uint8Array(Math.max(SLAB_BYTES, bytes));
    const taken = this.#rest.subarray(0, bytes);
    this.#rest = this.#rest.subarray(bytes);
    return taken;
  }
}

export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex');
}

/** A copy, so that a packet's options outlive the socket's buffer. */
export function joined(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((bytes, part) => bytes + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** Big-endian; both bytes must be inside. */
export function uint16At(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
}

/** Big-endian; all four bytes must be inside. */
export function uint32At(bytes: Uint8Array, at: number): number {
  return ((uint16At(bytes, at) << 16) | uint16At(bytes, at + 2)) >>> 0;
}
