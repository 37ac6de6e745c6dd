import { fromLatin1, latin1 } from '../octets.ts';
import { OPTION } from './numbers.ts';
import { option } from './option.ts';

const POINTER = 0xc0;
const MAX_LABEL_BYTES = 63;
const MAX_NAME_BYTES = 255;
/** A pointer of two bytes can stand for 255, so the count bounds the work. */
const MAX_NAMES = 128;

/** Domains without the final dot, compressed as in DNS (RFC 3397, RFC 1035 section 4.1.4). */
export const domainSearch = option<readonly string[]>(OPTION.domainSearch, readNames, writeNames);

function readNames(value: Uint8Array): readonly string[] | undefined {
  const names: string[] = [];
  for (let at = 0; at < value.length; ) {
    const name = readName(value, at);
    if (!name || names.length === MAX_NAMES) return undefined;
    names.push(name.labels.join('.'));
    at = name.nextAt;
  }
  return names.length > 0 ? names : undefined;
}

function readName(value: Uint8Array, startAt: number) {
  const labels: string[] = [];
  let nameBytes = 1;
  let nextAt: number | undefined;
  let pointersBelow = startAt;
  for (let at = startAt; ; ) {
    const length = value[at++];
    if (length === undefined) return undefined;
    if (length === 0) return labels.length > 0 ? { labels, nextAt: nextAt ?? at } : undefined;
    if (length >= POINTER) {
      const target = ((length & ~POINTER) << 8) | (value[at++] ?? 0xff);
      // Each pointer must lead further back than the last one, or two could chase each other.
      if (target >= pointersBelow) return undefined;
      pointersBelow = target;
      nextAt ??= at;
      at = target;
      continue;
    }
    nameBytes += length + 1;
    if (length > MAX_LABEL_BYTES || nameBytes > MAX_NAME_BYTES || at + length > value.length)
      return undefined;
    labels.push(latin1(value.subarray(at, at + length)));
    at += length;
  }
}

function writeNames(names: readonly string[]): Uint8Array {
  const bytes: number[] = [];
  const suffixAt = new Map<string, number>();
  for (const name of names) {
    const labels = labelsOf(name);
    for (let first = 0; ; first++) {
      if (first === labels.length) {
        bytes.push(0);
        break;
      }
      const suffix = labels.slice(first).join('.');
      const at = suffixAt.get(suffix);
      if (at !== undefined) {
        bytes.push(POINTER | (at >> 8), at & 0xff);
        break;
      }
      // A pointer has 14 bits.
      if (bytes.length < 0x4000) suffixAt.set(suffix, bytes.length);
      const label = fromLatin1(labels[first] ?? '');
      bytes.push(label.length, ...label);
    }
  }
  return Uint8Array.from(bytes);
}

function labelsOf(name: string): readonly string[] {
  const labels = name.replace(/\.$/, '').split('.');
  const fits = labels.every((label) => label.length > 0 && label.length <= MAX_LABEL_BYTES);
  if (!fits || name.length > MAX_NAME_BYTES - 2)
    throw new RangeError(`${JSON.stringify(name)} is not a domain`);
  return labels;
}
