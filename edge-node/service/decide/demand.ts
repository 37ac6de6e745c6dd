import type { DesiredState, Intent } from '@bootswarm/controller/contract';
import { type Manifest, type ReleaseId, releaseId } from '@bootswarm/images/format';

/** A segment boots by default what it names: as many machines as come. */
const WEIGHT = { mini: 1_000_000, segment: 1000, machine: 1 } as const;

/**
 * The releases of a desired state, those first for which most machines wait: they are fetched in this order, and what
 * comes later waits where the disk has no room for all. The mini image is small and needed to inspect any machine.
 */
export function byDemand(state: DesiredState): readonly Manifest[] {
  const demand = new Map<ReleaseId, number>();
  const add = (release: ReleaseId | undefined, weight: number): void => {
    if (release !== undefined) demand.set(release, (demand.get(release) ?? 0) + weight);
  };
  const releaseOf = (intent: Intent): ReleaseId | undefined => {
    if ('release' in intent && intent.release !== undefined) return intent.release;
    if (!('profile' in intent)) return undefined;
    return state.profiles?.find(({ name }) => name === intent.profile)?.release;
  };
  for (const release of Object.values(state.mini ?? {})) add(release, WEIGHT.mini);
  for (const { defaultIntent } of state.segments) add(releaseOf(defaultIntent), WEIGHT.segment);
  for (const { intent } of state.machines) add(releaseOf(intent), WEIGHT.machine);
  const demandOf = (manifest: Manifest): number => demand.get(releaseId(manifest)) ?? 0;
  return state.releases.toSorted((a, b) => demandOf(b) - demandOf(a));
}
