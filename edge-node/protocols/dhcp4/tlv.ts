import { joined } from './octets.ts';

const PAD = 0;
export const END = 255;
/** A length is one octet; what is longer is split over several (RFC 3396 section 5). */
export const MAX_VALUE_BYTES = 255;

/**
 * `padded` fields know PAD and END: options, 43 (RFC 2132 8.4) and iPXE's 175.
 * In `bare` ones codes 0 and 255 are like any other: 82 (RFC 3046 section 2.0).
 */
export type Framing = 'padded' | 'bare';

/**
 * Adds a field's values to what earlier fields gave; repeated codes gather in wire order (RFC 3396 section 7).
 * A missing END is forgiven, as the field's length ends it just as well.
 * @returns false when a value runs past the end of the field.
 */
export function gather(field: Uint8Array, framing: Framing, into: Map<number, Uint8Array[]>): boolean {
  for (let at = 0; at < field.length; ) {
    const code = field[at++] ?? END;
    if (framing === 'padded' && code === PAD) continue;
    if (framing === 'padded' && code === END) return true;
    const length = field[at++];
    if (length === undefined || at + length > field.length) return false;
    const parts = into.get(code);
    const part = field.subarray(at, at + length);
    if (parts) parts.push(part);
    else into.set(code, [part]);
    at += length;
  }
  return true;
}

export function joinParts(gathered: ReadonlyMap<number, readonly Uint8Array[]>): Map<number, Uint8Array> {
  const values = new Map<number, Uint8Array>();
  for (const [code, parts] of gathered) values.set(code, joined(parts));
  return values;
}

/** The sub-options inside an option, or undefined when one is truncated. */
export function readSubOptions(value: Uint8Array, framing: Framing): Map<number, Uint8Array> | undefined {
  const gathered = new Map<number, Uint8Array[]>();
  return gather(value, framing, gathered) ? joinParts(gathered) : undefined;
}

/** Ends `padded` sub-options with END. @throws RangeError when a value is longer than 255 bytes. */
export function writeSubOptions(
  values: Iterable<readonly [number, Uint8Array]>,
  framing: Framing,
): Uint8Array {
  const parts: Uint8Array[] = [];
  for (const [code, value] of values) {
    if (value.length > MAX_VALUE_BYTES) {
      throw new RangeError(`sub-option ${code} of ${value.length} bytes is longer than ${MAX_VALUE_BYTES}`);
    }
    parts.push(Uint8Array.of(code, value.length), value);
  }
  if (framing === 'padded') parts.push(Uint8Array.of(END));
  return joined(parts);
}
