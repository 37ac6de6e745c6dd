import type { BootCause, DesiredState, ImageProfile, Intent } from '@bootswarm/controller/contract';
import { type BootPlan, SCRIPT_PATH } from '@bootswarm/ipxe';
import type { InstallView } from './installer-plan.ts';
import { brokenOff, type DiskWork, standingOf } from './work-step.ts';

type Machine = DesiredState['machines'][number];
type WorkIntent = Extract<Intent, { kind: 'install' | 'wipe' }>;

/** To be durable, and told, before the machine is told its plan. */
interface WorkNote {
  readonly machineId: string;
  readonly work: DiskWork;
}

export type WorkPlan =
  /** The mini image, and why where it will not work. */
  | (Extract<BootPlan, { kind: 'live' }> & {
      readonly leadsTo: 'agent';
      readonly failure?: string;
      readonly work?: WorkNote;
    })
  | (Extract<BootPlan, { kind: 'local' }> & { readonly reason: string; readonly spentEpoch: number })
  | (Extract<BootPlan, { kind: 'wait' }> & { readonly cause?: BootCause; readonly work?: WorkNote });

type Waiting = Extract<BootPlan, { kind: 'wait' }> & { readonly cause?: BootCause };

/** What boots the agent and what its work needs, as far as they are here. */
export interface WorkMeans {
  readonly planMini: () =>
    | (Extract<BootPlan, { kind: 'live' }> & { readonly leadsTo?: 'agent' })
    | Waiting
    | { readonly kind: Exclude<BootPlan['kind'], 'live' | 'wait'> };
  /** Why a release is not to be had here yet; undefined where all of it is. */
  readonly waitFor: (release: string) => Waiting | undefined;
  /** Why the texts of a profile cannot be filled for the machine; undefined where they can. */
  readonly faultOf: (profile: ImageProfile, release: string) => string | undefined;
}

/**
 * What a machine does whose disks are to be written to: the mini image as long as there is a try left, its disk once
 * it is done, and after the last try the mini image again, whose agent shows why. Pure.
 */
export function planWork(
  intent: WorkIntent,
  machine: Machine,
  view: Pick<InstallView, 'profiles' | 'httpUrl' | 'nowMs' | 'isHolder' | 'workOf'>,
  means: WorkMeans,
): WorkPlan {
  const { id, epoch = 0 } = machine;
  const kept = view.workOf(id);
  // Whoever writes another machine's MAC into the URL breaks nothing off.
  const broken = view.isHolder ? brokenOff(machine, kept, view.nowMs) : undefined;
  const standing = standingOf(machine, broken ?? kept);
  const note = broken === undefined ? {} : { work: { machineId: id, work: broken } };
  if (standing.kind === 'done') return { kind: 'local', reason: standing.reason, spentEpoch: epoch };
  const wait = (cause: BootCause, reason: string): WorkPlan => ({
    kind: 'wait',
    cause,
    reason,
    scriptUrl: view.httpUrl + SCRIPT_PATH,
    ...note,
  });
  if (standing.kind === 'open' && intent.kind === 'install') {
    const profile = view.profiles?.find(({ name }) => name === intent.profile);
    if (profile?.kind !== 'image')
      return wait('profile_unknown', `this edge does not know the image profile ${intent.profile}`);
    const release = intent.release ?? profile.release;
    const waiting = means.waitFor(release);
    if (waiting) return { ...waiting, ...note };
    const fault = means.faultOf(profile, release);
    if (fault !== undefined) return wait('template_failed', fault);
  }
  const mini = means.planMini();
  if (mini.kind === 'wait') return { ...mini, ...note };
  if (mini.kind !== 'live' || mini.leadsTo === undefined)
    return wait('release_not_ready', 'the release that is chosen as mini image is none');
  const booted = { ...mini, leadsTo: mini.leadsTo, ...note };
  return standing.kind === 'failed' ? { ...booted, failure: standing.reason } : booted;
}
