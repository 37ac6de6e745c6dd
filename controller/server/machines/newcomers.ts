import {
  assignmentFor,
  conflictText,
  grantInstall,
  lifeOf,
  type Machine,
  type Segment,
  type UnknownMachines,
} from '@bootswarm/controller/contract';
import { SEGMENTS_PREFIX } from '../edges/segments.ts';
import type { InstallChoice } from './assigned-installs.ts';
import { assignmentsOf } from './assignments.ts';
import { move } from './life.ts';
import type { MachineDraft } from './machine-draft.ts';

/** A machine that nobody knew, as its segment says: with an inspection armed, or as it is. */
export async function welcomed(draft: MachineDraft, machine: Machine): Promise<Machine> {
  if ((await policyOf(draft, machine)) === 'ignore') return machine;
  return { ...machine, intent: { kind: 'inspect' }, epoch: (machine.epoch ?? 0) + 1, isNewcomer: true };
}

/**
 * The machine after an inspection of it: available, unless it has gone on already. A newcomer is to be installed where
 * its segment says so and it is known by what, as soon as there is room in the hour.
 */
export async function inspected(draft: MachineDraft, known: Machine, now: Date): Promise<Machine> {
  const machine = { ...known, inspectedAt: now.toISOString() };
  const { state, cause } = lifeOf(known);
  const isLate = state === 'failed' && cause === 'deadline_passed_inspecting';
  if (!isLate && state !== 'unknown' && state !== 'discovered' && state !== 'inspecting') return machine;
  const pinned = { ...machine, state };
  const motion = { at: now, by: 'journal', reason: 'its agent sent an inspection' } as const;
  const after = await move(draft, pinned, 'available', motion);
  const policy = await policyOf(draft, after);
  if (after.isNewcomer === undefined || typeof policy !== 'object') return after;
  const choice = await choiceFor(draft, after);
  // What cannot be installed takes no other machine's turn.
  if ('reason' in choice) return notInstalled(after, choice.reason, now);
  const key = `newcomer-installs/${after.segment}`;
  const held = ((await draft.get(key)) ?? []) as readonly number[];
  const { atMs, grantsMs } = grantInstall(held, policy.perHour, now.getTime());
  draft.put[key] = grantsMs;
  return { ...after, installAt: new Date(atMs).toISOString() };
}

/** By what a newcomer is to be installed and who says so; else why by nothing, also where its segment does not want it any more. */
export async function choiceFor(
  draft: MachineDraft,
  machine: Machine,
): Promise<{ readonly choice: InstallChoice; readonly by: string } | { readonly reason: string }> {
  const segment = `segment ${machine.segment}`;
  const policy = await policyOf(draft, machine);
  if (typeof policy !== 'object')
    return { reason: `${segment} has machines that nobody knew no longer installed` };
  const { assignment, conflict } = assignmentFor(machine, await assignmentsOf(draft));
  if (assignment) return { choice: assignment, by: `assignment ${assignment.name}` };
  // What is installed must not hang on a name, nor on which of them is removed first: 0010.
  if (conflict.length > 0)
    return { reason: `assignments ${conflictText(conflict)} match, and none is narrower than the others` };
  if (policy.installBy !== undefined) return { choice: { profile: policy.installBy }, by: segment };
  return { reason: `nothing is assigned to it, and ${segment} names no profile` };
}

/** A newcomer that stays as it is. */
export function notInstalled(machine: Machine, reason: string, now: Date): Machine {
  const { installAt: _, ...rest } = machine;
  return { ...rest, notInstalled: { at: now.toISOString(), reason: reason.slice(0, 600) } };
}

async function policyOf(draft: MachineDraft, { segment }: Machine): Promise<UnknownMachines> {
  if (segment === undefined) return 'ignore';
  const held = (await draft.get(SEGMENTS_PREFIX + segment)) as Pick<Segment, 'unknownMachines'> | undefined;
  return held?.unknownMachines ?? 'ignore';
}
