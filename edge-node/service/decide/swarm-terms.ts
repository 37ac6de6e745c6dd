import {
  type DesiredState,
  type Intent,
  isSingleUse,
  type Segment,
  type SwarmTerms,
} from '@bootswarm/controller/contract';
import type { Lease } from './lease.ts';

/**
 * So many machines and more are done sooner by fetching of one another than by HTTP of their edge: measured with an edge
 * whose link is five times that of a machine (images/decisions/0017). With a slower edge it is fewer.
 */
export const SWARM_FROM = 6;

/** The release whose image an agent fetches by an intent; undefined where it fetches none. */
export function fetchedRelease(intent: Intent, profiles: DesiredState['profiles'] = []): string | undefined {
  if (intent.kind === 'live') return intent.by === 'agent' ? intent.release : undefined;
  if (intent.kind !== 'install') return undefined;
  return intent.release ?? profiles.find(({ name }) => name === intent.profile)?.release;
}

/**
 * Of each release, how many machines that have an address of the segment are to fetch it.
 * @param isOpen whether what a machine is to do once is not done yet.
 */
export function fetchersIn(
  segment: Segment,
  { machines, profiles }: Pick<DesiredState, 'machines' | 'profiles'>,
  leases: Iterable<Lease>,
  isOpen: (machine: DesiredState['machines'][number]) => boolean,
  nowMs: number,
): ReadonlyMap<string, number> {
  const byMac = new Map(machines.flatMap((machine) => machine.macs.map((mac) => [mac, machine])));
  const fetchers = new Map<string, number>();
  for (const lease of leases) {
    if (lease.segment !== segment.name || lease.state !== 'bound' || lease.expiresAtMs <= nowMs) continue;
    const machine = byMac.get(lease.mac);
    const intent = machine?.intent ?? segment.defaultIntent;
    if (machine && isSingleUse(intent) && !isOpen(machine)) continue;
    const release = fetchedRelease(intent, profiles);
    if (release !== undefined) fetchers.set(release, (fetchers.get(release) ?? 0) + 1);
  }
  return fetchers;
}

/** With whom a machine shares what it fetches as one of so many; undefined where it fetches by HTTP. */
export function swarmTerms(
  { subnet, swarm = {} }: Pick<Segment, 'subnet' | 'swarm'>,
  fetchers: number,
  edge: string,
): SwarmTerms | undefined {
  if (fetchers < (swarm.from ?? SWARM_FROM)) return undefined;
  const { machineRate } = swarm;
  return { subnet, edge, ...(machineRate === undefined ? {} : { uploadRate: machineRate }) };
}
