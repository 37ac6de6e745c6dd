import { z } from 'zod';
import type { Machine } from './machine.ts';
import { selectorField } from './selector-fields.ts';
import {
  type Comparison,
  parseSelector,
  SELECTOR_MOST,
  type Selector,
  type SelectorFault,
  type SelectorTerm,
  type TextPattern,
} from './selector-syntax.ts';

/** `term 2, column 15: 'memory' is a number ...` */
export function selectorFaultText({ term, column, reason }: SelectorFault): string {
  return `term ${term}, column ${column}: ${reason}`;
}

/** A selector as text, as operators write it and as it is kept. */
export const SelectorText = z
  .string()
  .max(SELECTOR_MOST)
  .superRefine((text, context) => {
    const parsed = parseSelector(text);
    if (!parsed.ok) context.addIssue({ code: 'custom', message: selectorFaultText(parsed.fault) });
  });

/** Of a text that `SelectorText` took. @throws TypeError for any other. */
export function selectorOf(text: string): Selector {
  const parsed = parseSelector(text);
  if (!parsed.ok) throw new TypeError(selectorFaultText(parsed.fault));
  return parsed.selector;
}

export function matches(selector: Selector, machine: Machine): boolean {
  return matcherOf(selector)(machine);
}

/** The same for many machines: what can be made ready is made ready once. */
export function matcherOf({ terms }: Selector): (machine: Machine) => boolean {
  const tests = terms.map(testOf);
  return (machine) => tests.every((test) => test(machine));
}

function testOf(term: SelectorTerm): (machine: Machine) => boolean {
  const field = selectorField(term.field);
  if (field?.kind === 'number' && term.kind === 'number') {
    const { comparison, values } = term;
    return (machine) => {
      const value = field.of(machine);
      return value === undefined ? comparison === '!=' : compares(value, comparison, values);
    };
  }
  if (field?.kind !== 'text' || term.kind !== 'text') return () => false;
  const isWanted = oneOf(term.values);
  const wants = term.comparison === '=';
  return (machine) => {
    const found = field.of(machine);
    const isAny = found !== undefined && (typeof found === 'string' ? isWanted(found) : found.some(isWanted));
    return isAny === wants;
  };
}

function compares(value: number, comparison: Comparison, wanted: readonly number[]): boolean {
  const [only = 0] = wanted;
  switch (comparison) {
    case '=':
      return wanted.includes(value);
    case '!=':
      return !wanted.includes(value);
    case '>=':
      return value >= only;
    case '<=':
      return value <= only;
    case '>':
      return value > only;
    case '<':
      return value < only;
  }
}

function oneOf(patterns: readonly TextPattern[]): (text: string) => boolean {
  const texts = new Set(patterns.flatMap((parts) => (parts.length === 1 ? parts : [])));
  const starred = patterns.filter(({ length }) => length > 1);
  return (text) => texts.has(text) || starred.some((parts) => fits(parts, text));
}

/** Whether the parts stand in the text one behind the other, the first at its beginning and the last at its end. */
function fits(parts: TextPattern, text: string): boolean {
  const [first = '', ...rest] = parts;
  const last = rest.at(-1) ?? '';
  if (!text.startsWith(first)) return false;
  let at = first.length;
  for (const part of rest.slice(0, -1)) {
    const found = text.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return text.length - last.length >= at && text.endsWith(last);
}
