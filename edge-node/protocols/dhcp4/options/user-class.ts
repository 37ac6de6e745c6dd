import { fromLatin1, joined, latin1 } from '../octets.ts';
import { OPTION } from './numbers.ts';
import { option } from './option.ts';

/**
 * RFC 3004: length-prefixed strings. iPXE sends its one class raw, so a value that is no exact sequence of
 * prefixed strings is one raw string; text can't be mistaken, as its first letter would be a length above 31.
 */
export const userClasses = option<readonly string[]>(
  OPTION.userClasses,
  (value) => (value.length === 0 ? undefined : (readPrefixed(value) ?? [latin1(value)])),
  (classes) => joined(classes.flatMap(writePrefixed)),
);

function readPrefixed(value: Uint8Array): readonly string[] | undefined {
  const classes: string[] = [];
  for (let at = 0; at < value.length; ) {
    const length = value[at++] ?? 0;
    if (length === 0 || at + length > value.length) return undefined;
    classes.push(latin1(value.subarray(at, at + length)));
    at += length;
  }
  return classes;
}

function writePrefixed(userClass: string): readonly Uint8Array[] {
  const bytes = fromLatin1(userClass);
  if (bytes.length === 0 || bytes.length > 255) throw new RangeError('a user class has 1 to 255 bytes');
  return [Uint8Array.of(bytes.length), bytes];
}
