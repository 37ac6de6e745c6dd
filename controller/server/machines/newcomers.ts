import {
  grantInstall,
  lifeOf,
  type Machine,
  type Segment,
  type UnknownMachines,
} from '@bootswarm/controller/contract';
import { SEGMENTS_PREFIX } from '../edges/segments.ts';
import { move } from './life.ts';
import type { MachineDraft } from './machine-draft.ts';

/** A machine that nobody knew, as its segment says: with an inspection armed, or as it is. */
export async function welcomed(draft: MachineDraft, machine: Machine): Promise<Machine> {
  if ((await policyOf(draft, machine)) === 'ignore') return machine;
  return { ...machine, intent: { kind: 'inspect' }, epoch: (machine.epoch ?? 0) + 1, isNewcomer: true };
}

/**
 * The machine after an inspection of it: available, unless it has gone on already. A newcomer is to be installed where
 * its segment says so, as soon as there is room in the hour.
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
  const key = `newcomer-installs/${after.segment}`;
  const held = ((await draft.get(key)) ?? []) as readonly number[];
  const { atMs, grantsMs } = grantInstall(held, policy.perHour, now.getTime());
  draft.put[key] = grantsMs;
  return { ...after, installAt: new Date(atMs).toISOString() };
}

/** By which profile a newcomer is to be installed; undefined where its segment does not say so any more. */
export async function profileOfSegment(draft: MachineDraft, machine: Machine): Promise<string | undefined> {
  const policy = await policyOf(draft, machine);
  return typeof policy === 'object' ? policy.installBy : undefined;
}

async function policyOf(draft: MachineDraft, { segment }: Machine): Promise<UnknownMachines> {
  if (segment === undefined) return 'ignore';
  const held = (await draft.get(SEGMENTS_PREFIX + segment)) as Pick<Segment, 'unknownMachines'> | undefined;
  return held?.unknownMachines ?? 'ignore';
}
