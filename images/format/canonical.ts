import type { Manifest } from './manifest.ts';

/**
 * One text for one value: keys in the order of their UTF-16 units, no blanks. For plain JSON values; what is
 * undefined is left out, as JSON does.
 */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_, held: unknown) => {
    if (typeof held !== 'object' || held === null || Array.isArray(held)) return held;
    return Object.fromEntries(Object.entries(held).toSorted(([a], [b]) => (a < b ? -1 : 1)));
  });
}

/** The bytes that are signed of a manifest, whoever encodes them. */
export function manifestBytes(manifest: Manifest): Uint8Array {
  return Buffer.from(canonicalJson(manifest));
}
