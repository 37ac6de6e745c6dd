import {
  type BootCause,
  type DesiredState,
  matchMachine,
  mergedArguments,
  type Segment,
  type Sighting,
} from '@bootswarm/controller/contract';
import { type Manifest, releaseId } from '@bootswarm/images/format';
import { type BootPlan, SCRIPT_PATH } from '@bootswarm/ipxe';
import { type AnswerContext, installerArguments, renderAnswers } from './answer-files.ts';
import { type InstallProgress, nextInstallStep } from './install-step.ts';
import type { Lease } from './lease.ts';
import type { DiskWork } from './work-step.ts';

/** What is known, when a machine asks for its script, of installers and who may run them. */
export interface InstallView {
  readonly profiles: DesiredState['profiles'];
  readonly releases: readonly Manifest[];
  readonly httpUrl: string;
  readonly nowMs: number;
  /** Of the machine that asks. */
  readonly address: string;
  /** Whether that address is the machine's, as far as this edge can tell. */
  readonly isHolder: boolean;
  readonly progressOf: (machineId: string) => InstallProgress | undefined;
  readonly workOf: (machineId: string) => DiskWork | undefined;
  /** Epoch and unguessable token of a machine, as they stand in URLs. */
  readonly ticketOf: (machineId: string, epoch: number) => string;
}

type Machine = DesiredState['machines'][number];

/**
 * Whether whoever says to be `machine` speaks from the address that this edge has leased to it. In proxy mode another
 * server gives the addresses, and what the machine says of itself must do.
 */
export function isHolder(
  machine: Sighting | undefined,
  lease: Lease | undefined,
  segment: Pick<Segment, 'mode'>,
): boolean {
  if (!machine) return false;
  if (segment.mode === 'proxy') return true;
  if (lease?.state !== 'bound') return false;
  return matchMachine([{ macs: [lease.mac], uuid: lease.uuid }], machine) !== undefined;
}

/** To be durable before the machine is told its plan. */
interface InstallNote {
  readonly machineId: string;
  readonly progress: InstallProgress;
  readonly isNew: boolean;
}

export type InstallerPlan =
  | (Extract<BootPlan, { kind: 'live' }> & { readonly install: InstallNote })
  | (Extract<BootPlan, { kind: 'local' }> & {
      readonly reason: string;
      readonly cause?: BootCause;
      /** Over with this boot, or before. */
      readonly spentEpoch: number;
      readonly install?: InstallNote;
    })
  | (Extract<BootPlan, { kind: 'wait' }> & { readonly cause?: BootCause });

/**
 * What a machine does that is to be installed: the installer, as long as it has not had its answers, and its disk
 * afterwards.
 * @param planOf the plan that boots a release as it is.
 */
export function planInstaller(
  { profile: name }: { readonly profile: string },
  whose: { readonly machine: Machine; readonly sighting: Sighting; readonly segment: Segment },
  view: InstallView,
  planOf: (reference: string) => BootPlan | InstallerPlan,
): BootPlan | InstallerPlan {
  const { machine, sighting, segment } = whose;
  const { address, httpUrl, nowMs } = view;
  const { id, epoch = 0 } = machine;
  const wait = (cause: BootCause, reason: string): InstallerPlan => ({
    kind: 'wait',
    cause,
    reason,
    scriptUrl: httpUrl + SCRIPT_PATH,
  });
  const step = nextInstallStep(machine, view.progressOf(id), { address, nowMs });
  if (step.kind === 'spent') return { kind: 'local', reason: step.reason, spentEpoch: epoch };
  const install = { machineId: id, progress: step.progress, isNew: step.isNew };
  // Whoever writes another machine's MAC into the URL neither uses up its attempts nor learns its token.
  if (!view.isHolder)
    return wait(
      'answers_refused',
      `this edge has not leased ${address} to the machine that is to be installed`,
    );
  if (step.kind === 'given up')
    return {
      kind: 'local',
      reason: `the installer was started ${step.progress.attempts} times and never fetched its answers`,
      cause: 'installer_given_up',
      spentEpoch: epoch,
      install,
    };
  const profile = view.profiles?.find((each) => each.name === name);
  if (!profile || profile.kind === 'image')
    return wait('profile_unknown', `this edge does not know profile ${name}`);
  const plan = planOf(profile.release);
  if (plan.kind !== 'live') return plan;
  const manifest = view.releases.find((each) => releaseId(each) === plan.release);
  if (!manifest) return wait('profile_unknown', `this edge does not know ${plan.release}`);
  const ticket = view.ticketOf(id, epoch);
  const context: AnswerContext = {
    profile,
    machine,
    mac: sighting.mac,
    address,
    segment,
    manifest,
    httpUrl,
    ticket,
  };
  const answers = renderAnswers(context);
  if (!answers.ok) return wait('template_failed', `the answers of profile ${name}: ${answers.reason}`);
  const own = mergedArguments(profile.kernelArguments, machine.kernelArguments ?? []);
  const all = [...plan.kernelArguments, ...installerArguments(context), ...own];
  return { ...plan, kernelArguments: [...new Set(all)], install };
}
