import type { DesiredState, MiniSetting, Segment } from '@bootswarm/controller/contract';
import {
  type ChannelId,
  type ChannelPointer,
  channelId,
  isChannelId,
  type Manifest,
  type ReleaseId,
  releaseId,
} from '@bootswarm/images/format';

/** What signed metadata says, as far as it was verified. */
export interface Vouching {
  readonly channelOf: (id: ChannelId) => ChannelPointer | undefined;
  /** Why a manifest is not to be followed, or undefined where it is what was signed. */
  readonly objectionTo: (manifest: Manifest) => string | undefined;
}

/** What the controller asks for and nobody signed. */
export interface Refusal {
  /** A release or a channel. */
  readonly reference: ReleaseId | ChannelId;
  readonly reason: string;
  /** SHA-256 of what would have been fetched. */
  readonly artefacts: readonly string[];
}

export interface Followed {
  /** With the releases that are vouched for alone, and every channel as the release that it points to. */
  readonly state: DesiredState;
  readonly refusals: readonly Refusal[];
}

/**
 * The part of a desired state that the operator signed. A channel goes where signed metadata says, whatever the
 * controller says; where that is a release that was followed before, it is followed on.
 * @param held manifests that were followed until now.
 */
export function followSigned(offered: DesiredState, held: readonly Manifest[], vouching: Vouching): Followed {
  const pointers = offered.channels.flatMap((pointer) => vouching.channelOf(channelId(pointer)) ?? []);
  const releases = new Map<ReleaseId, Manifest>();
  const wanted = new Set([...offered.releases, ...pointers].map(releaseId));
  for (const manifest of [...offered.releases, ...held]) {
    const id = releaseId(manifest);
    if (wanted.has(id) && !releases.has(id) && vouching.objectionTo(manifest) === undefined)
      releases.set(id, manifest);
  }
  const targets = new Map(pointers.map((pointer) => [channelId(pointer), releaseId(pointer)]));
  return {
    state: { ...withoutChannels(offered, targets), channels: pointers, releases: [...releases.values()] },
    refusals: [
      ...offered.releases.flatMap((manifest) => refusalOf(manifest, vouching)),
      ...offered.channels.flatMap((pointer) => differenceOf(pointer, vouching)),
    ],
  };
}

function refusalOf(manifest: Manifest, vouching: Vouching): readonly Refusal[] {
  const reason = vouching.objectionTo(manifest);
  if (reason === undefined) return [];
  const artefacts = manifest.artefacts.map(({ sha256 }) => sha256);
  return [{ reference: releaseId(manifest), reason, artefacts }];
}

function differenceOf(offered: ChannelPointer, vouching: Vouching): readonly Refusal[] {
  const reference = channelId(offered);
  const signed = vouching.channelOf(reference);
  if (signed === undefined) return [{ reference, reason: 'it is not in the signed targets', artefacts: [] }];
  if (signed.version === offered.version) return [];
  const reason = `it is said to point to ${offered.version}, and was signed for ${signed.version}`;
  return [{ reference, reason, artefacts: [] }];
}

/** Every reference to a channel that is known becomes the release that it points to. */
function withoutChannels(state: DesiredState, targets: ReadonlyMap<ChannelId, ReleaseId>): DesiredState {
  const releaseOf = (reference: string): string =>
    (isChannelId(reference) ? targets.get(reference) : undefined) ?? reference;
  const resolved = <T extends object>(what: T): T =>
    'release' in what && typeof what.release === 'string'
      ? { ...what, release: releaseOf(what.release) }
      : what;
  const resolvedMini = (mini: MiniSetting): MiniSetting =>
    Object.fromEntries(
      Object.entries(mini).map(([architecture, reference]) => [
        architecture,
        reference === undefined ? undefined : releaseOf(reference),
      ]),
    );
  const ofSegment = (segment: Segment): Segment => ({
    ...segment,
    defaultIntent: resolved(segment.defaultIntent),
    ...(segment.menu && { menu: { ...segment.menu, entries: segment.menu.entries.map(resolved) } }),
  });
  return {
    ...state,
    segments: state.segments.map(ofSegment),
    ...(state.profiles && { profiles: state.profiles.map(resolved) }),
    ...(state.mini && { mini: resolvedMini(state.mini) }),
    machines: state.machines.map((machine) => ({ ...machine, intent: resolved(machine.intent) })),
  };
}
