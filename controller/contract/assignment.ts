import { KernelArgument } from '@bootswarm/images/format';
import { z } from 'zod';
import { MachineVariables } from './installer-profile.ts';
import type { Machine } from './machine.ts';
import { Name } from './names.ts';
import { type Narrowness, narrower, narrownessOf } from './narrowness.ts';
import { ReleaseRef } from './release-ref.ts';
import { matcherOf, SelectorText, selectorOf } from './selector.ts';
import { selectorText } from './selector-syntax.ts';

/** By which profile machines are installed, where nobody says otherwise. */
export const Assignment = z.strictObject({
  name: Name,
  match: SelectorText,
  profile: Name,
  /** A release or channel in the place of the profile's. */
  release: ReleaseRef.optional(),
  /** Behind those of the profile, and in their place where they name the same: `mergedArguments`. */
  kernelArguments: z.array(KernelArgument).max(64).default([]),
  /** In the place of the profile's defaults; a machine's own take theirs. */
  variables: MachineVariables.default({}),
});
export type Assignment = z.infer<typeof Assignment>;

export const ASSIGNMENTS_MOST = 1000;
const NAMED_MOST = 5;

/** What is assigned to a machine. */
export interface Assigned {
  /** Left out where none matches, or where those that do are in each other's way. */
  readonly assignment?: Assignment;
  /** Names of assignments that match, none narrower than the other, where that leaves it open. */
  readonly conflict: readonly string[];
  /** Wider ones that match as well, the narrowest first. */
  readonly lost: readonly string[];
}

/**
 * The narrowest assignment that matches, as a whole: nothing of a wider one is mixed in. Narrowest is one that names the
 * machine, then one of more terms, then one of its segment, then one for all (`narrownessOf`). Of two that are as narrow
 * as each other none holds.
 */
export function assignmentFor(machine: Machine, assignments: readonly Assignment[]): Assigned {
  const matching = assignments
    .map((assignment) => ({ assignment, selector: selectorOf(assignment.match) }))
    .filter(({ selector }) => matcherOf(selector)(machine))
    .map(({ assignment, selector }) => ({ assignment, narrowness: narrownessOf(selector) }))
    .toSorted(
      (a, b) => -narrower(a.narrowness, b.narrowness) || (a.assignment.name < b.assignment.name ? -1 : 1),
    );
  const [first] = matching;
  if (!first) return { conflict: [], lost: [] };
  const isFirst = ({ narrowness }: { readonly narrowness: Narrowness }): boolean =>
    narrower(narrowness, first.narrowness) === 0;
  const names = (of: typeof matching): string[] => of.map(({ assignment }) => assignment.name);
  const lost = names(matching.filter((each) => !isFirst(each)));
  const narrowest = matching.filter(isFirst);
  return narrowest.length > 1
    ? { conflict: names(narrowest), lost }
    : { assignment: first.assignment, conflict: [], lost };
}

/** `a, b and 7 more`: of those that are in each other's way. */
export function conflictText(names: readonly string[]): string {
  const shown = names.slice(0, NAMED_MOST);
  const rest = names.length - shown.length;
  return rest === 0 ? shown.join(' and ') : `${shown.join(', ')} and ${rest} more`;
}

/** Another assignment that would be in the way of this one, as far as can be seen, and where. */
export function assignmentConflict(
  assignment: Assignment,
  others: readonly Assignment[],
  machines: readonly Machine[],
): { readonly other: string; readonly machine?: Machine } | undefined {
  const selector = selectorOf(assignment.match);
  const rivals = others.filter(
    ({ name, match }) =>
      name !== assignment.name && narrower(narrownessOf(selectorOf(match)), narrownessOf(selector)) === 0,
  );
  const twin = rivals.find(({ match }) => selectorText(selectorOf(match)) === selectorText(selector));
  if (twin) return { other: twin.name };
  if (rivals.length === 0) return undefined;
  const all = [...others.filter(({ name }) => name !== assignment.name), assignment];
  const isMeant = matcherOf(selector);
  for (const machine of machines) {
    if (!isMeant(machine)) continue;
    const other = assignmentFor(machine, all).conflict.find((name) => name !== assignment.name);
    if (other !== undefined && assignmentFor(machine, all).conflict.includes(assignment.name))
      return { other, machine };
  }
  return undefined;
}
