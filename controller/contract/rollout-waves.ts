import { z } from 'zod';

/** By what machines are told apart into waves of their own. */
const WAVE_GROUPS = ['rack', 'segment', 'uplink'] as const;
export type WaveGroup = (typeof WAVE_GROUPS)[number];

/** Waves of one rollout, before its machines are known. */
export type WaveRule =
  | { readonly kind: 'count'; readonly machines: number }
  /** Of all machines of the rollout, and at least one. */
  | { readonly kind: 'percent'; readonly percent: number }
  | { readonly kind: 'rest' }
  /** A wave for each rack, segment or uplink of those that are left. */
  | { readonly kind: 'by'; readonly group: WaveGroup };

const RULES_MOST = 32;

/**
 * `1,5%,25%,rest` or `1,by=rack`: sizes, and at the end what becomes of those that are left. Pure.
 * @throws RangeError that says which term is wrong, and why.
 */
export function parseWaves(text: string): readonly WaveRule[] {
  const terms = text.split(',').map((term) => term.trim());
  if (terms.length > RULES_MOST) throw new RangeError(`must have at most ${RULES_MOST} terms`);
  const rules = terms.map(parseTerm);
  const early = rules.slice(0, -1).findIndex(isLast);
  if (early >= 0) throw new RangeError(`'${terms[early]}' must be the last term`);
  const last = rules.at(-1);
  if (!last || !isLast(last))
    throw new RangeError("must end with 'rest' or 'by=rack', so that no machine is left out");
  const percent = rules.reduce((sum, rule) => sum + (rule.kind === 'percent' ? rule.percent : 0), 0);
  if (percent > 100) throw new RangeError(`has ${percent} % in all, which is more than there is`);
  return rules;
}

function isLast({ kind }: WaveRule): boolean {
  return kind === 'rest' || kind === 'by';
}

function parseTerm(term: string): WaveRule {
  if (term === 'rest') return { kind: 'rest' };
  const [, number, unit, group] = /^(?:([1-9]\d{0,6})(%?)|by=(\w+))$/.exec(term) ?? [];
  const known = WAVE_GROUPS.find((each) => each === group);
  if (known !== undefined) return { kind: 'by', group: known };
  if (group !== undefined)
    throw new RangeError(`'${term}' names none of ${WAVE_GROUPS.map((each) => `by=${each}`).join(', ')}`);
  if (number === undefined)
    throw new RangeError(`'${term}' is no number of machines, share such as 5%, 'rest' or 'by=rack'`);
  if (unit !== '%') return { kind: 'count', machines: Number(number) };
  if (Number(number) > 100) throw new RangeError(`'${term}' is more than there is`);
  return { kind: 'percent', percent: Number(number) };
}

/** The other way round. */
export function wavesText(rules: readonly WaveRule[]): string {
  return rules.map(termText).join(',');
}

function termText(rule: WaveRule): string {
  switch (rule.kind) {
    case 'count':
      return String(rule.machines);
    case 'percent':
      return `${rule.percent}%`;
    case 'rest':
      return 'rest';
    case 'by':
      return `by=${rule.group}`;
  }
}

/** As operators write waves; kept as they wrote it. */
export const WavesText = z
  .string()
  .max(500)
  .superRefine((text, context) => {
    try {
      parseWaves(text);
    } catch (error) {
      context.addIssue({ code: 'custom', message: (error as RangeError).message });
    }
  });
