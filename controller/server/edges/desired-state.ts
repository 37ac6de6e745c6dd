import type {
  DesiredState,
  DhcpPolicy,
  Edge,
  Intent,
  Machine,
  MenuEntry,
  Segment,
} from '@bootswarm/controller/contract';
import { type Manifest, releaseId } from '@bootswarm/images/format';

/** The catalogue as a whole, from which each edge is told its part. */
export interface Fleet {
  readonly segments: readonly Segment[];
  readonly policy: DhcpPolicy;
  readonly edges: readonly Edge[];
  readonly machines: readonly Machine[];
  readonly manifests: readonly Manifest[];
}

/**
 * All that `edge` needs to serve on its own: its segments, the machines that have an intent, and every
 * release that one of them names. Machines are not filtered by segment: one that is plugged in elsewhere
 * boots there as well.
 */
export function desiredStateOf(edge: string, fleet: Fleet): Omit<DesiredState, 'revision'> {
  const segments = fleet.segments.filter((segment) => segment.edges.includes(edge));
  const beside = new Set(segments.flatMap(({ edges }) => edges));
  const fellows = fleet.edges
    .filter(({ name }) => name !== edge && beside.has(name))
    .flatMap(({ status }) => status?.addresses ?? []);
  const machines = segments.length === 0 ? [] : fleet.machines.flatMap(withIntent);
  const named = new Set(
    [...segments.map((s) => s.defaultIntent), ...machines.map((m) => m.intent)]
      .map(nameOf)
      .concat(segments.flatMap(({ menu }) => (menu?.entries ?? []).map(nameOf))),
  );
  const releases = fleet.manifests.filter((manifest) => named.has(releaseId(manifest)));
  return { format: 1, edge, segments, policy: fleet.policy, fellows, machines, releases };
}

function withIntent({ id, macs, uuid, intent }: Machine): DesiredState['machines'] {
  if (intent === undefined) return [];
  return [{ id, macs, ...(uuid === undefined ? {} : { uuid }), intent }];
}

function nameOf(intent: Intent | MenuEntry): string | undefined {
  return intent.kind === 'live' || intent.kind === 'rescue' ? intent.release : undefined;
}
