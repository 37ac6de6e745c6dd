/**
 * Templates of answer files: text with holes, `{{ name }}` or `{{ name | filter }}`, and nothing else. A hole takes the
 * value of a variable; nothing is evaluated, neither here nor, where the filter fits its place, by what reads the file.
 */

/** How a value is written where its hole is. */
const FILTERS = {
  /** One word of a POSIX shell, and of kickstart, which splits its lines as a shell does. */
  quote: (value: string): string => `'${value.replaceAll("'", "'\\''")}'`,
  /** A string of JSON, with what a script element or an older parser stumbles over escaped too. */
  json: jsonText,
  /** JSON's strings are YAML's double-quoted ones (YAML 1.2, section 1.3). */
  yaml: jsonText,
  /** The rest of a line that no shell reads, as preseed has it. */
  line: (value: string): string => value,
} as const;

type Filter = keyof typeof FILTERS;
const ANSWER_FILTERS = Object.keys(FILTERS) as readonly Filter[];

/**
 * A value in a hole without a filter: one word that a shell, YAML, kickstart and debconf all read as it stands. It
 * does not begin with `-`, so that it is no option, and holds no `%`, which begins a section of kickstart.
 */
const PLAIN = /^(?![-=@])[A-Za-z0-9._:/@+=,-]*$/;
/** A `\` there makes debconf and shells join the next line. */
const NOT_AT_END_OF_LINE = /\\$/;
/** Values never hold these: they would begin another line, or hide what they are. */
const CONTROL = /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]/u;

const HOLE = /^ *([a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)*) *(?:\| *([a-z]+) *)?$/;

/** Counted from 1. */
interface Place {
  readonly line: number;
  readonly column: number;
}

interface Hole {
  readonly variable: string;
  readonly filter: Filter | undefined;
  readonly at: Place;
}

export interface AnswerTemplate {
  readonly parts: readonly (string | Hole)[];
}

/** What is wrong with a template, or with a value in one of its holes. */
export interface TemplateFault {
  readonly at: Place;
  readonly reason: string;
}

type Parsed =
  | { readonly ok: true; readonly template: AnswerTemplate }
  | { readonly ok: false; readonly fault: TemplateFault };
type Rendered =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly fault: TemplateFault };

/** Takes a template apart. The first thing that is wrong ends it. */
export function parseAnswerTemplate(text: string): Parsed {
  const parts: (string | Hole)[] = [];
  let at = 0;
  while (at < text.length) {
    const open = text.indexOf('{{', at);
    if (open < 0) break;
    const place = placeOf(text, open);
    const end = text.indexOf('}}', open);
    const inside = end < 0 ? undefined : text.slice(open + 2, end);
    if (inside === undefined || inside.includes('\n'))
      return faultAt(place, 'the hole that begins here is not closed on its line');
    const [, variable, filter] = HOLE.exec(inside) ?? [];
    if (variable === undefined)
      return faultAt(place, `'{{${inside}}}' is no hole such as {{ name }} or {{ name | quote }}`);
    if (filter !== undefined && !isFilter(filter))
      return faultAt(place, `there is no filter '${filter}': choose one of ${ANSWER_FILTERS.join(', ')}`);
    parts.push(text.slice(at, open), { variable, filter, at: place });
    at = end + 2;
  }
  return { ok: true, template: { parts: [...parts, text.slice(at)] } };
}

/** The first hole whose variable `isKnown` does not know, if there is one. */
export function unknownHole(
  { parts }: AnswerTemplate,
  isKnown: (variable: string) => boolean,
): TemplateFault | undefined {
  for (const part of parts)
    if (typeof part !== 'string' && !isKnown(part.variable))
      return { at: part.at, reason: `there is no variable '${part.variable}'` };
  return undefined;
}

/** The variables that have holes. */
export function variablesIn({ parts }: AnswerTemplate): ReadonlySet<string> {
  return new Set(parts.flatMap((part) => (typeof part === 'string' ? [] : [part.variable])));
}

/**
 * The text with every hole filled. A value that does not fit its hole is a fault, and so is a variable without one.
 * @param lookUp undefined where there is no such variable, or it has no value.
 */
export function renderAnswerTemplate(
  { parts }: AnswerTemplate,
  lookUp: (variable: string) => string | undefined,
): Rendered {
  let text = '';
  for (const [index, part] of parts.entries()) {
    if (typeof part === 'string') {
      text += part;
      continue;
    }
    const value = lookUp(part.variable);
    const reason =
      value === undefined ? 'has no value' : valueProblem(value, part.filter, endsLine(parts[index + 1]));
    if (reason !== undefined) return faultAt(part.at, `variable '${part.variable}' ${reason}`);
    text += part.filter === undefined ? value : FILTERS[part.filter](value ?? '');
  }
  return { ok: true, text };
}

/** Why a value can stand in no hole at all; undefined where it can. */
export function answerValueProblem(value: string): string | undefined {
  return CONTROL.test(value) ? 'holds a line break or a control character' : undefined;
}

/** `line 3, column 5: there is no variable 'disk'` */
export function faultText({ at: { line, column }, reason }: TemplateFault): string {
  return `line ${line}, column ${column}: ${reason}`;
}

function valueProblem(value: string, filter: Filter | undefined, isAtEnd: boolean): string | undefined {
  if (filter === undefined && !PLAIN.test(value) && answerValueProblem(value) === undefined)
    return `holds more than letters, digits and ._:/@+=,- and so needs a filter: ${ANSWER_FILTERS.join(', ')}`;
  if (filter === 'line' && isAtEnd && NOT_AT_END_OF_LINE.test(value))
    return "ends with '\\', which would join the next line to this one";
  return answerValueProblem(value);
}

function endsLine(next: string | Hole | undefined): boolean {
  return typeof next !== 'string' || next === '' || /^[ \t]*\r?(?:\n|$)/.test(next);
}

function isFilter(text: string): text is Filter {
  return Object.hasOwn(FILTERS, text);
}

function jsonText(value: string): string {
  const escaped = (character: string): string =>
    `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  return JSON.stringify(value).replace(/[<>&]/g, escaped);
}

function faultAt(at: Place, reason: string): { readonly ok: false; readonly fault: TemplateFault } {
  return { ok: false, fault: { at, reason } };
}

function placeOf(text: string, offset: number): Place {
  const before = text.slice(0, offset);
  const line = before.split('\n').length;
  return { line, column: offset - (before.lastIndexOf('\n') + 1) + 1 };
}
