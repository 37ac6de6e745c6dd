import {
  assignmentOf,
  type DesiredState,
  type DhcpPolicy,
  type Edge,
  effectiveVariables,
  type Intent,
  isSingleUse,
  type Machine,
  type MenuEntry,
  type MiniSetting,
  type Profile,
  ROLLOUT_STATES,
  type Rollout,
  type Segment,
} from '@bootswarm/controller/contract';
import { type ChannelPointer, type Manifest, releaseId } from '@bootswarm/images/format';
import { pointersOf, releaseOf } from '../catalogue/channels.ts';

/** The catalogue as a whole, from which each edge is told its part. */
export interface Fleet {
  readonly segments: readonly Segment[];
  readonly policy: DhcpPolicy;
  readonly edges: readonly Edge[];
  readonly machines: readonly Machine[];
  readonly manifests: readonly Manifest[];
  readonly profiles?: readonly Profile[];
  readonly channels: readonly ChannelPointer[];
  /** Left out where none was ever chosen. */
  readonly mini?: MiniSetting;
  readonly rollouts?: readonly Rollout[];
  /** The first root of trust; undefined as long as there is none. */
  readonly trustRoot: string | undefined;
}

/**
 * All that `edge` needs to serve on its own: its segments, the machines that have an intent, and every
 * release that one of them names, by itself or by a channel. Machines are not filtered by segment: one that is plugged in elsewhere
 * boots there as well.
 */
export function desiredStateOf(edge: string, fleet: Fleet): Omit<DesiredState, 'revision'> {
  const segments = fleet.segments
    .filter((segment) => segment.edges.includes(edge))
    // It is the controller that acts on it, and edges of versions before do not know it.
    .map(({ unknownMachines: _, ...segment }) => segment);
  const beside = new Set(segments.flatMap(({ edges }) => edges));
  const fellows = fleet.edges
    .filter(({ name }) => name !== edge && beside.has(name))
    .flatMap(({ status }) => status?.addresses ?? []);
  const machines = segments.length === 0 ? [] : desiredMachinesOf(fleet.machines);
  const installed = new Set(machines.flatMap(({ intent }) => profileOf(intent) ?? []));
  const profiles = (fleet.profiles ?? []).filter(({ name }) => installed.has(name));
  // Of a profile whose release every machine replaces by its own, that release is not needed.
  const asTheyAre = new Set(
    machines.flatMap(({ intent }) => (nameOf(intent) ? [] : (profileOf(intent) ?? []))),
  );
  const named = new Set(
    [...segments.map((s) => s.defaultIntent), ...machines.map((m) => m.intent)]
      .map(nameOf)
      .concat(segments.flatMap(({ menu }) => (menu?.entries ?? []).map(nameOf)))
      .concat(profiles.filter(({ name }) => asTheyAre.has(name)).map(({ release }) => release))
      // Whichever edge a machine comes to: it is to be inspected there.
      .concat(Object.values(fleet.mini ?? {}))
      // Before a machine is sent for a release its edges have it.
      .concat(stagedFor(segments, fleet.rollouts ?? []))
      .filter((reference) => reference !== undefined),
  );
  const channels = pointersOf(named, fleet.channels);
  for (const pointer of channels) named.add(releaseOf(pointer));
  const releases = fleet.manifests.filter((manifest) => named.has(releaseId(manifest)));
  const { policy, trustRoot } = fleet;
  return {
    format: 1,
    edge,
    segments,
    policy,
    fellows,
    machines,
    ...(profiles.length === 0 ? {} : { profiles }),
    releases,
    channels: [...channels],
    ...(fleet.mini === undefined ? {} : { mini: fleet.mini }),
    ...(trustRoot === undefined ? {} : { trustRoot }),
  };
}

/** What edges are told of machines: those that have an intent, and of them what a boot needs. */
export function desiredMachinesOf(machines: readonly Machine[]): DesiredState['machines'] {
  return machines.flatMap(withIntent);
}

/** Releases that rollouts bring to machines of these segments, or may take them back to. */
function stagedFor(segments: readonly Segment[], rollouts: readonly Rollout[]): readonly string[] {
  const names = new Set(segments.map(({ name }) => name));
  return rollouts
    .filter(({ state, segments: of }) => !ROLLOUT_STATES[state].isOver && of.some((name) => names.has(name)))
    .flatMap(({ release, releasesBefore }) => [release, ...releasesBefore]);
}

function withIntent(machine: Machine): DesiredState['machines'] {
  const { id, macs, uuid, intent, epoch, spent } = machine;
  if (intent === undefined) return [];
  const shown = { id, macs, ...(uuid === undefined ? {} : { uuid }), intent };
  if (!isSingleUse(intent)) return [shown];
  const variables = effectiveVariables(machine);
  const kernelArguments = assignmentOf(machine)?.kernelArguments ?? [];
  return [
    {
      ...shown,
      ...(epoch === undefined ? {} : { epoch }),
      ...(spent === undefined ? {} : { spentEpoch: spent.epoch }),
      ...(spent?.cause === undefined ? {} : { spentFailure: spent.detail }),
      ...(variables === undefined ? {} : { variables }),
      // Edges of versions before do not know them: they are told of none where there are none.
      ...(kernelArguments.length === 0 ? {} : { kernelArguments }),
    },
  ];
}

/** The release that an intent or a menu's entry names by itself. */
function nameOf(intent: Intent | MenuEntry): string | undefined {
  return 'release' in intent ? intent.release : undefined;
}

function profileOf(intent: Intent): string | undefined {
  return 'profile' in intent ? intent.profile : undefined;
}
