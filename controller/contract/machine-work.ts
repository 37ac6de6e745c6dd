import { z } from 'zod';
import { AgentStage } from './agent.ts';
import { WorkProgress } from './install-order.ts';
import { Instant, Ipv4, Mac, Name } from './names.ts';

/** What a machine is at that takes its time, as its agent told its edge last. */
export const MachineWork = z.strictObject({
  mac: Mac,
  address: Ipv4,
  stage: AgentStage,
  /** For a person: `installing minimal/1/amd64, try 1`. */
  detail: z.string().max(300),
  progress: WorkProgress,
  /** When it was told. */
  at: Instant,
});
export type MachineWork = z.infer<typeof MachineWork>;

/** What the machines of an edge are at: `PUT /v1/edge/work`. Those that it leaves out are at nothing any more. */
export const EdgeWork = z.strictObject({ machines: z.array(MachineWork).max(20_000) });
export type EdgeWork = z.infer<typeof EdgeWork>;

/** The same with the edge that told it. */
export const FleetWork = z.array(MachineWork.extend({ edge: Name }));
export type FleetWork = z.infer<typeof FleetWork>;

/** How a machine does beside the others. */
export interface WorkOutlook {
  /** Of the step that it is at; undefined where nobody knows how much there is to do. */
  readonly secondsLeft: number | undefined;
  /** Whether it will be done much later than most that do the same. */
  readonly isStraggler: boolean;
}

/** A straggler takes so many times as long as the median, and so many seconds more. */
const STRAGGLER_TIMES = 2;
const STRAGGLER_SECONDS = 15;

/** How long each machine will take for its step, by the rate at which it fetches now. In the order of `work`. Pure. */
export function workOutlooks(work: readonly Pick<MachineWork, 'detail' | 'progress'>[]): WorkOutlook[] {
  const lefts = work.map(({ progress }) => secondsLeft(progress));
  return work.map(({ detail, progress }, at) => {
    const left = lefts[at];
    const same = lefts.filter(
      (_, other) => work[other]?.progress.step === progress.step && work[other]?.detail === detail,
    );
    const known = same.filter((each) => each !== undefined).toSorted((a, b) => a - b);
    const median = known[known.length >> 1] ?? 0;
    const isStraggler =
      left !== undefined && left > STRAGGLER_TIMES * median && left > median + STRAGGLER_SECONDS;
    return { secondsLeft: left, isStraggler };
  });
}

function secondsLeft({ doneBytes, totalBytes, swarm }: WorkProgress): number | undefined {
  if (doneBytes === undefined || totalBytes === undefined || swarm === undefined) return undefined;
  const left = totalBytes - doneBytes;
  if (left <= 0) return 0;
  return swarm.downloadRate > 0 ? left / swarm.downloadRate : Number.POSITIVE_INFINITY;
}
