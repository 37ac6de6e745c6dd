import type { Selector, SelectorTerm } from './selector-syntax.ts';

/** What a selector is about, widest first. */
const LEVELS = ['global', 'segment', 'terms', 'machine'] as const;

/** How exactly a selector says which machines it means. */
export interface Narrowness {
  /**
   * `machine`: a term names machines one by one (`id`, `name`, `mac`, `uuid` or `serial`, by `=` and without stars).
   * `terms`: it asks for something beside the segment. `segment`: for the segment alone. `global`: for nothing.
   */
  readonly level: (typeof LEVELS)[number];
  readonly terms: number;
}

const IDENTITIES = ['id', 'name', 'mac', 'uuid', 'serial'];

export function narrownessOf({ terms }: Selector): Narrowness {
  const level = terms.some(isIdentity)
    ? 'machine'
    : terms.length === 0
      ? 'global'
      : terms.every(({ field }) => field === 'segment')
        ? 'segment'
        : 'terms';
  return { level, terms: terms.length };
}

/** Above 0 where `a` is narrower: by its level, then by the number of its terms. 0 where none is. */
export function narrower(a: Narrowness, b: Narrowness): number {
  return LEVELS.indexOf(a.level) - LEVELS.indexOf(b.level) || a.terms - b.terms;
}

function isIdentity(term: SelectorTerm): boolean {
  return (
    term.kind === 'text' &&
    term.comparison === '=' &&
    IDENTITIES.includes(term.field) &&
    term.values.every(({ length }) => length === 1)
  );
}
