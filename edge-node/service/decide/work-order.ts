import {
  type AgentOrder,
  type DesiredState,
  type ImageProfile,
  type InstallOrder,
  type Intent,
  parseSubnet,
  type Segment,
  type WipeOrder,
} from '@bootswarm/controller/contract';
import { profileFor } from './first-boot.ts';
import type { Standing } from './work-step.ts';

/** What of an order is about work on disks. */
export type WorkOrder = Pick<AgentOrder, 'install' | 'wipe' | 'failed' | 'notYet'>;

/** Whose disks, and what is at hand for them. */
export interface WorkContext {
  readonly machine: DesiredState['machines'][number];
  readonly mac: string;
  readonly address: string;
  readonly segment: Segment;
  /** With which the next try may begin. */
  readonly ticket: string;
  readonly firstBootUrl: string;
  /** Of this edge, as the machine reaches it. */
  readonly httpUrl: string;
  /** Of the intent; undefined where this edge does not know it. */
  readonly profile: ImageProfile | undefined;
  /** Why a release is not to be had here yet. */
  readonly lackOf: (release: string) => string | undefined;
}

/** What an agent is told to do to disks, as its intent stands; `local` is another order. Pure. */
export function workOrder(
  intent: Extract<Intent, { kind: 'install' | 'wipe' }>,
  standing: Exclude<Standing, { kind: 'done' }>,
  context: WorkContext,
): WorkOrder {
  if (standing.kind === 'failed') return { failed: standing.reason.slice(0, 600) };
  const { attempt } = standing;
  const { ticket, machine, profile } = context;
  const { epoch = 0 } = machine;
  if (intent.kind === 'wipe') {
    const { method, disks } = intent;
    const wipe: WipeOrder = { epoch, attempt, ticket, method, disks };
    return { wipe };
  }
  if (!profile) return { notYet: `this edge does not know the image profile ${intent.profile}` };
  const release = intent.release ?? profile.release;
  const lack = context.lackOf(release);
  if (lack !== undefined) return { notYet: lack.slice(0, 600) };
  const filled = profileFor({ ...context, profile, release });
  // Said before anything is written, and until profile or variables are other ones.
  if (!filled.ok) return { failed: `template_failed: ${filled.reason}`.slice(0, 600) };
  const install: InstallOrder = {
    epoch,
    attempt,
    ticket,
    release,
    profile: filled.profile,
    machine: installMachine(context, filled.hostname),
    firstBootUrl: context.firstBootUrl,
  };
  return { install };
}

/** What a system is told of the machine that it is set up on. */
export function installMachine(
  { machine, segment, mac, address }: Pick<WorkContext, 'machine' | 'segment' | 'mac' | 'address'>,
  hostname: string,
): InstallOrder['machine'] {
  const { domain, router, dnsServers, subnet } = segment;
  return {
    id: machine.id,
    hostname,
    ...(domain === undefined ? {} : { domain }),
    mac,
    address,
    prefixLength: parseSubnet(subnet).prefixLength,
    ...(router === undefined ? {} : { router }),
    dnsServers,
  };
}
