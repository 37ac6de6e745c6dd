/** Half-open byte range `[start, end)`. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

export type RangeAnswer =
  | { readonly kind: 'whole' }
  | { readonly kind: 'part'; readonly range: ByteRange }
  /** At least two, ascending, none overlapping another. */
  | { readonly kind: 'parts'; readonly ranges: readonly ByteRange[] }
  | { readonly kind: 'unsatisfiable' };

const WHOLE: RangeAnswer = { kind: 'whole' };
/** More than a client that resumes or reads an index asks for; each costs a header of about 150 bytes. */
const MOST_RANGES = 16;
/** Nothing that is worth reading: a header that long asks for far more ranges. */
const MOST_HEADER_CHARACTERS = 1024;

/**
 * What a Range header asks of `length` bytes (RFC 9110, section 14.2). One that cannot be understood is answered
 * with the whole, as the RFC allows; so are more than 16 ranges, overlapping ones and those out of order, which no
 * honest client sends (section 17.15): nobody gets more bytes than the whole has.
 */
export function parseRange(header: string | undefined, length: number): RangeAnswer {
  if (header === undefined || header.length > MOST_HEADER_CHARACTERS) return WHOLE;
  const [, set] = /^bytes=(.*)$/i.exec(header.trim()) ?? [];
  // Section 5.6.1: a list may hold empty elements.
  const specs = set?.split(',').flatMap((spec) => spec.trim() || []) ?? [];
  if (specs.length === 0 || specs.length > MOST_RANGES) return WHOLE;
  const read = specs.map((spec) => readSpec(spec, length));
  if (read.includes('invalid')) return WHOLE;
  const ranges = read.filter((range) => typeof range === 'object');
  const [first, ...others] = ranges;
  if (first === undefined) return { kind: 'unsatisfiable' };
  if (others.length === 0) return { kind: 'part', range: first };
  return isAscending(ranges) ? { kind: 'parts', ranges } : WHOLE;
}

function readSpec(spec: string, length: number): ByteRange | 'unsatisfiable' | 'invalid' {
  const [, first = '', last = ''] = /^(\d{0,15})-(\d{0,15})$/.exec(spec) ?? [];
  if (first === '' && last === '') return 'invalid';
  if (first === '') {
    const suffix = Math.min(Number(last), length);
    return suffix === 0 ? 'unsatisfiable' : { start: length - suffix, end: length };
  }
  const start = Number(first);
  if (last !== '' && Number(last) < start) return 'invalid';
  if (start >= length) return 'unsatisfiable';
  return { start, end: last === '' ? length : Math.min(Number(last) + 1, length) };
}

function isAscending(ranges: readonly ByteRange[]): boolean {
  return ranges.every(({ start }, index) => start >= (ranges[index - 1]?.end ?? 0));
}
