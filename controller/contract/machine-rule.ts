import { z } from 'zod';
import type { Machine } from './machine.ts';
import { LabelName, Labels, LabelValue, type MachineProperties } from './machine-traits.ts';
import { Name } from './names.ts';
import { narrower, narrownessOf } from './narrowness.ts';
import { matcherOf, SelectorText, selectorOf } from './selector.ts';

/** Fields that change without a word of the agent or an operator: a rule that asked for them would soon be wrong. */
const FLEETING = ['state', 'segment', 'address', 'intent', 'reservation', 'hardware'];

/** What is set of machines that are of a kind, as the agent or an operator describes them. */
export const MachineRule = z
  .strictObject({
    name: Name,
    match: SelectorText,
    set: z
      .strictObject({
        class: Name.optional(),
        labels: Labels.optional(),
        /** `property.NAME` of selectors. */
        properties: z.record(LabelName, LabelValue).optional(),
      })
      .refine((set) => Object.keys(set).length > 0, 'must set something: a class, labels or properties'),
  })
  .superRefine(({ match }, context) => {
    if (!SelectorText.safeParse(match).success) return;
    const fleeting = selectorOf(match).terms.find(({ field }) => FLEETING.includes(field));
    if (fleeting)
      context.addIssue({
        code: 'custom',
        path: ['match'],
        message: `asks for ${fleeting.field}, which changes by itself: a rule may ask for what a machine is`,
      });
  });
export type MachineRule = z.infer<typeof MachineRule>;

export const RULES_MOST = 1000;

/** Who gave a value, and who would have. */
export interface ExplainedValue {
  /** `class`, `label.NAME` or `property.NAME`. */
  readonly what: string;
  readonly value: string;
  /** A rule; `by hand` where an operator said it. */
  readonly by: string;
  readonly lost: readonly { readonly rule: string; readonly value: string }[];
}

/** Beside the names of rules, which have no blanks. */
export const BY_HAND = 'by hand';

/**
 * What rules and operators say of a machine. Of two rules the narrower wins, and of two as narrow the first by name; by
 * hand wins over both. Rules see what was set by hand, and not what others set.
 */
export function explainRules(rules: readonly MachineRule[], machine: Machine): readonly ExplainedValue[] {
  const seen = withoutRules(machine);
  const matching = rules
    .map((rule) => ({ rule, selector: selectorOf(rule.match) }))
    .filter(({ selector }) => matcherOf(selector)(seen))
    .map(({ rule, selector }) => ({ rule, narrowness: narrownessOf(selector) }))
    .toSorted((a, b) => -narrower(a.narrowness, b.narrowness) || (a.rule.name < b.rule.name ? -1 : 1));
  const given = [
    { by: BY_HAND, values: valuesOf(machine.byHand ?? {}) },
    ...matching.map(({ rule }) => ({ by: rule.name, values: valuesOf(rule.set) })),
  ].flatMap(({ by, values }) => values.map(([what, value]) => ({ by, what, value })));
  return Array.from(Map.groupBy(given, ({ what }) => what).values()).flatMap(([first, ...others]) =>
    first === undefined ? [] : [{ ...first, lost: others.map(({ by, value }) => ({ rule: by, value })) }],
  );
}

/** The machine with what rules and operators say of it; what rules said before and say no more is gone. */
export function applyRules(rules: readonly MachineRule[], machine: Machine): Machine {
  const values = explainRules(rules, machine);
  const named = (kind: string): Labels =>
    Object.fromEntries(
      values.flatMap(({ what, value }) =>
        what.startsWith(`${kind}.`) ? [[what.slice(kind.length + 1), value]] : [],
      ),
    );
  const given = values.find(({ what }) => what === 'class')?.value;
  const [labels, extra] = [named('label'), named('property')];
  const { properties, ...rest } = withoutRules(machine);
  const all: MachineProperties = { ...properties, ...(Object.keys(extra).length > 0 ? { extra } : {}) };
  const { class: _, labels: __, ...bare } = rest;
  return {
    ...bare,
    ...(given === undefined ? {} : { class: given }),
    ...(Object.keys(labels).length > 0 ? { labels } : {}),
    ...(Object.keys(all).length > 0 ? { properties: all } : {}),
  };
}

/** The machine as it was found and as operators describe it. */
function withoutRules(machine: Machine): Machine {
  const { class: _, labels: __, properties, ...rest } = machine;
  const { extra: ___, ...found } = properties ?? {};
  return { ...rest, ...machine.byHand, ...(properties === undefined ? {} : { properties: found }) };
}

function valuesOf({ class: name, labels, properties }: MachineRule['set']): [string, string][] {
  return [
    ...(name === undefined ? [] : [['class', name] as [string, string]]),
    ...Object.entries(labels ?? {}).map(([label, value]): [string, string] => [`label.${label}`, value]),
    ...Object.entries(properties ?? {}).map(([key, value]): [string, string] => [`property.${key}`, value]),
  ];
}
