import { type DiskFacts, type DiskPlan, isRefusal, planDisks, type Refusal } from '@bootswarm/images/install';
import type { FoundDisk } from '../inspect/collect-disks.ts';
import type { InstallTerms } from './terms.ts';

export interface MachinePlanRequest {
  readonly firmware: DiskFacts['firmware'];
  readonly found: readonly FoundDisk[];
  readonly order: Pick<InstallTerms, 'epoch' | 'profile' | 'machine'>;
  readonly imageBytes: number;
}

/**
 * The plan for the disks as they are now. What a try of the same installation left behind is nobody's data: its disks
 * are known by their tables' identities, that no other installation has. A data mark is somebody's all the same: no
 * plan of ours makes one. Pure.
 */
export function planMachine(request: MachinePlanRequest): DiskPlan | Refusal {
  const begun = new Set(begunDisks(request).map(({ disk }) => disk.name));
  return planOf(
    request,
    request.found.map(({ disk }) =>
      begun.has(disk.name) ? { ...disk, holds: disk.holds.filter(({ kind }) => kind === 'data-mark') } : disk,
    ),
  );
}

/** Those of the disks of a plan that this same installation has laid out before: whether it came to its end, nobody knows. */
export function begunDisks(request: MachinePlanRequest): readonly FoundDisk[] {
  const asIfEmpty = planOf(
    request,
    request.found.map(({ disk }) => ({ ...disk, holds: [] })),
  );
  const ours = new Map(
    isRefusal(asIfEmpty) ? [] : asIfEmpty.disks.map(({ name, tableUuid }) => [name, tableUuid] as const),
  );
  const isOurs = ({ disk, tableUuid }: FoundDisk): boolean => {
    const made = ours.get(disk.name);
    // An MBR keeps the first eight digits.
    return (
      made !== undefined && tableUuid !== undefined && (tableUuid === made || tableUuid === made.slice(0, 8))
    );
  };
  return request.found.filter(isOurs);
}

function planOf(
  { firmware, order, imageBytes }: MachinePlanRequest,
  disks: DiskFacts['disks'],
): DiskPlan | Refusal {
  const { epoch, profile, machine } = order;
  const identity = `${machine.id} ${epoch}`;
  return planDisks({ facts: { firmware, disks }, layout: profile.layout, identity, imageBytes });
}

/**
 * Whether two plans write the same to the same disks, whatever the kernel calls these by now. A plan is made again just
 * before it runs, and nothing is written where it came out otherwise.
 */
export function isSamePlan(before: DiskPlan, now: DiskPlan): boolean {
  return textOf(before) === textOf(now);
}

function textOf({ disks, erases: _, ...rest }: DiskPlan): string {
  return JSON.stringify({ ...rest, disks: disks.map(({ name: _name, ...disk }) => disk) });
}
