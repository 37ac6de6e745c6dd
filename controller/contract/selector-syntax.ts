import { LabelName } from './machine-traits.ts';
import { SELECTOR_FIELDS, type SelectorField, selectorField } from './selector-fields.ts';

/**
 * Which machines are meant: `class=compute,memory>=64G,label.rack=r1|r2,segment!=lab`. Every term must hold; of the
 * values of one term, one is enough. `*` in a text stands for anything; text with other signs than letters, digits and
 * `. _ : / @ + -` goes in double quotes, in which `\` takes the meaning from `"` and `\`. Numbers may end in K, M, G or
 * T: powers of 1024. `!=` also holds where a machine has no such value, every other comparison only where it has one.
 * No term at all: every machine.
 */
export interface Selector {
  readonly terms: readonly SelectorTerm[];
}

export type SelectorTerm =
  | {
      readonly kind: 'text';
      readonly field: string;
      readonly comparison: '=' | '!=';
      readonly values: readonly TextPattern[];
    }
  | {
      readonly kind: 'number';
      readonly field: string;
      readonly comparison: Comparison;
      readonly values: readonly number[];
    };

/** What stands between the stars: one part where there is none. */
export type TextPattern = readonly string[];

export type Comparison = '=' | '!=' | '>=' | '<=' | '>' | '<';

export interface SelectorFault {
  /** Counted from one. */
  readonly term: number;
  /** Of the character, counted from one. */
  readonly column: number;
  readonly reason: string;
}

export type ParsedSelector =
  | { readonly ok: true; readonly selector: Selector }
  | { readonly ok: false; readonly fault: SelectorFault };

export const SELECTOR_MOST = 4000;
const TERMS_MOST = 64;
const VALUES_MOST = 256;
const STARS_MOST = 8;

const FIELD = /[A-Za-z0-9._-]*/y;
const COMPARISON = />=|<=|!=|=|>|</y;
const BARE = /[\p{L}\p{N}._:/@+*-]+/uy;
const QUOTED = /"(?:[^"\\]|\\["\\])*"/y;
const BLANKS = /[ \t\r\n]*/y;
const NUMBER = /^(\d{1,16}(?:\.\d{1,6})?)([KMGT]?)$/i;
const UNITS = { '': 1, K: 1024, M: 1024 ** 2, G: 1024 ** 3, T: 1024 ** 4 } as const;

/** Never throws. */
export function parseSelector(text: string): ParsedSelector {
  const reader = new Reader(text);
  const terms: SelectorTerm[] = [];
  let term = 1;
  try {
    if (text.length > SELECTOR_MOST) throw new Slip(SELECTOR_MOST, `is longer than ${SELECTOR_MOST} signs`);
    reader.take(BLANKS);
    if (reader.isAtEnd) return { ok: true, selector: { terms } };
    for (;;) {
      terms.push(readTerm(reader));
      if (reader.isAtEnd) return { ok: true, selector: { terms } };
      const commaAt = reader.at;
      if (!reader.skip(','))
        throw new Slip(commaAt, `a comma, a | or the end must come here${signReason(reader.sign)}`);
      if (terms.length === TERMS_MOST) throw new Slip(commaAt, `there are more than ${TERMS_MOST} terms`);
      term += 1;
    }
  } catch (error) {
    if (!(error instanceof Slip)) throw error;
    return { ok: false, fault: { term, column: error.at + 1, reason: error.message } };
  }
}

/** Where a selector is not as it should be. */
class Slip extends Error {
  readonly at: number;

  constructor(at: number, reason: string) {
    super(reason);
    this.at = at;
  }
}

class Reader {
  at = 0;
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  get isAtEnd(): boolean {
    return this.at === this.#text.length;
  }

  get sign(): string | undefined {
    return this.#text[this.at];
  }

  /** @param pattern is sticky. */
  take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.#text)?.[0];
    this.at += found?.length ?? 0;
    return found;
  }

  skip(sign: string): boolean {
    const isThere = this.sign === sign;
    if (isThere) this.at += 1;
    return isThere;
  }
}

function readTerm(reader: Reader): SelectorTerm {
  reader.take(BLANKS);
  const fieldAt = reader.at;
  const field = reader.take(FIELD) ?? '';
  const found = fieldNamed(field, fieldAt);
  reader.take(BLANKS);
  const comparisonAt = reader.at;
  const comparison = reader.take(COMPARISON) as Comparison | undefined;
  if (comparison === undefined)
    throw new Slip(
      comparisonAt,
      `'${field}' needs a comparison and a value, as in ${field}=${found.example}`,
    );
  if (found.kind === 'number')
    return { kind: 'number', field, comparison, values: readNumbers(reader, field, comparison) };
  if (!isEquality(comparison))
    throw new Slip(comparisonAt, `'${field}' is text, which is compared by = and != alone`);
  return { kind: 'text', field, comparison, values: readValues(reader, field, readPattern) };
}

function fieldNamed(field: string, at: number): SelectorField {
  if (field === '') throw new Slip(at, 'a field must come here, such as class=compute');
  const found = selectorField(field);
  if (!found)
    throw new Slip(
      at,
      `there is no field '${field}': choose one of ${SELECTOR_FIELDS.join(', ')}, label.NAME, property.NAME`,
    );
  const [, name] = /^(?:label|property)\.(.*)$/.exec(field) ?? [];
  const issue = name === undefined ? undefined : LabelName.safeParse(name).error?.issues[0];
  if (issue) throw new Slip(at, `the name in '${field}' ${issue.message}`);
  return found;
}

function readNumbers(reader: Reader, field: string, comparison: Comparison): readonly number[] {
  const numbers = readValues(reader, field, readNumber);
  if (numbers.length > 1 && !isEquality(comparison))
    throw new Slip(reader.at, `'${field}${comparison}' takes one value`);
  return numbers;
}

type ReadValue<Value> = (value: RawValue, field: string) => Value;

interface RawValue {
  readonly at: number;
  readonly text: string;
  readonly isQuoted: boolean;
}

function readValues<Value>(reader: Reader, field: string, read: ReadValue<Value>): readonly Value[] {
  const values: Value[] = [];
  do {
    reader.take(BLANKS);
    if (values.length === VALUES_MOST)
      throw new Slip(reader.at, `'${field}' has more than ${VALUES_MOST} values`);
    values.push(read(rawValue(reader, field), field));
    reader.take(BLANKS);
  } while (reader.skip('|'));
  return values;
}

function rawValue(reader: Reader, field: string): RawValue {
  const { at } = reader;
  const quoted = reader.take(QUOTED);
  if (quoted !== undefined)
    return { at, text: quoted.slice(1, -1).replace(/\\(["\\])/g, '$1'), isQuoted: true };
  if (reader.sign === '"')
    throw new Slip(at, `the quotes of '${field}' do not end, or hold a \\ before anything but " and \\`);
  const text = reader.take(BARE);
  if (text === undefined) throw new Slip(at, `'${field}' has no value here${signReason(reader.sign)}`);
  return { at, text, isQuoted: false };
}

const readNumber: ReadValue<number> = ({ at, text, isQuoted }, field) => {
  const [, digits, unit = ''] = (isQuoted ? undefined : NUMBER.exec(text)) ?? [];
  const number = Math.round(Number(digits) * UNITS[unit.toUpperCase() as keyof typeof UNITS]);
  if (Number.isSafeInteger(number)) return number;
  const { example = '' } = selectorField(field) ?? {};
  throw new Slip(at, `'${field}' is a number such as ${example}; K, M, G and T are powers of 1024`);
};

const readPattern: ReadValue<TextPattern> = ({ at, text, isQuoted }, field) => {
  const found = selectorField(field);
  const spell = found?.kind === 'text' ? found.spell : undefined;
  const parts = isQuoted ? [text] : text.split('*');
  if (parts.length > STARS_MOST + 1) throw new Slip(at, `'${field}' has more than ${STARS_MOST} stars`);
  // What has a spelling of its own is kept in small letters.
  if (parts.length > 1) return spell ? parts.map((part) => part.toLowerCase()) : parts;
  const spelt = spell ? spell(text) : text;
  if (spelt !== undefined) return [spelt];
  throw new Slip(at, `'${text}' can be no ${field}: write it as in ${field}=${found?.example}`);
};

function isEquality(comparison: Comparison): comparison is '=' | '!=' {
  return comparison === '=' || comparison === '!=';
}

function signReason(sign: string | undefined): string {
  return sign === undefined || ',|'.includes(sign)
    ? ''
    : ': text with blanks or other signs goes in double quotes';
}

/** The one way to write it: two selectors of the same text are the same. */
export function selectorText({ terms }: Selector): string {
  return terms
    .map((term) => {
      const values =
        term.kind === 'number' ? term.values.map(numberText) : term.values.map((parts) => patternText(parts));
      return `${term.field}${term.comparison}${values.join('|')}`;
    })
    .join(',');
}

function patternText(parts: TextPattern): string {
  const [only = ''] = parts;
  if (parts.length > 1 || /^[\p{L}\p{N}._:/@+-]+$/u.test(only)) return parts.join('*');
  return `"${only.replace(/["\\]/g, '\\$&')}"`;
}

function numberText(number: number): string {
  const unit = (['T', 'G', 'M', 'K'] as const).find((each) => number > 0 && number % UNITS[each] === 0);
  return unit === undefined ? String(number) : `${number / UNITS[unit]}${unit}`;
}
