import {
  type Assignment,
  type Machine,
  type Profile,
  problem,
  type Segment,
} from '@bootswarm/controller/contract';
import {
  type ChannelId,
  type ChannelPointer,
  channelId,
  isChannelId,
  type ReleaseId,
  releaseId,
} from '@bootswarm/images/format';
import { channelsIn, releasePath, type Target, targetsIn } from '@bootswarm/images/trust';
import { namedByAssignments } from '../machines/assignments.ts';
import { namedByProfiles } from '../profiles/profiles.ts';
import type { StateStore } from '../store/state-store.ts';
import { type Reads, transact } from '../store/transact.ts';
import { signedIn } from '../trust/repository.ts';
import type { TakenTargets, Trust } from '../trust/trust.ts';
import { holdRelease, type Naming, namedByMachines, namedBySegments } from './release-uses.ts';

/** Written by every transaction that makes something name a channel, and read by the one that removes it. */
function guardKey(id: ChannelId): string {
  return `guards/channels/${id}`;
}

/** What names channels. */
export type NamedBy = () => Promise<{
  readonly machines: readonly Machine[];
  readonly segments: readonly Segment[];
  readonly profiles: readonly Profile[];
  readonly assignments: readonly Assignment[];
}>;

/** The channels. The signed targets hold where each stands; there is no other record of it. */
export class Channels {
  readonly #store: StateStore;
  readonly #trust: Trust;

  constructor(store: StateStore, trust: Trust) {
    this.#store = store;
    this.#trust = trust;
  }

  list(): Promise<ChannelPointer[]> {
    return pointersIn(this.#store);
  }

  /** Which releases channels point to, and from which they may be rolled back. */
  async namings(reads: Pick<Reads, 'get'>): Promise<Naming[]> {
    const pointers = await pointersIn(reads);
    return pointers.flatMap((pointer) => {
      const name = channelId(pointer);
      const current: Naming = { release: releaseOf(pointer), use: { kind: 'channel', name } };
      if (pointer.previous === undefined) return [current];
      const release = releaseOf({ ...pointer, version: pointer.previous });
      return [current, { release, use: { kind: 'rollback', name } }];
    });
  }

  /**
   * For a transaction that makes something name a channel. @returns what to put beside.
   * @throws Problem channel_unknown
   */
  async hold(reads: Reads, id: ChannelId): Promise<Readonly<Record<string, unknown>>> {
    const pointers = await pointersIn(reads);
    if (pointers.some((pointer) => channelId(pointer) === id)) return { [guardKey(id)]: id };
    throw problem('channel_unknown', { field: 'release', facts: { channel: id } });
  }

  /**
   * Takes targets in which channels came, went or moved.
   * @throws Problem channel_malformed, channel_pinned, channel_in_use, machine_release_unknown, trust_change_unexpected
   * and those of `Trust.take`.
   */
  async move(targets: string, namedBy: NamedBy, now: Date): Promise<ChannelPointer[]> {
    await transact(this.#store, 'the channels', async (reads) => {
      const held = new Map((await pointersIn(reads)).map((pointer) => [channelId(pointer), pointer]));
      const taken = await this.#trust.take(reads, targets, now);
      let put = taken.put;
      for (const pointer of movedIn(taken)) {
        requireFree(held.get(channelId(pointer)), pointer);
        if (!taken.targets.has(releasePath(releaseOf(pointer)))) throw unknownRelease(pointer);
        put = { ...put, ...(await holdRelease(reads, releaseOf(pointer))) };
      }
      const remove: string[] = [];
      for (const id of removedIn(taken)) {
        if (await reads.get(guardKey(id))) remove.push(guardKey(id));
        requireUnnamed(id, await namedBy());
      }
      return { put, remove, result: undefined };
    });
    return this.list();
  }
}

/** All channels; a transaction whose `reads` they are loses where they change meanwhile. */
export async function pointersIn(reads: Pick<Reads, 'get'>): Promise<ChannelPointer[]> {
  const targets = (await signedIn(reads))?.targets.at(-1);
  return targets === undefined ? [] : [...channelsIn(targetsIn(targets)).values()];
}

export function releaseOf(pointer: ChannelPointer): ReleaseId {
  return releaseId(pointer);
}

function unknownRelease(pointer: ChannelPointer): Error {
  const facts = { channel: channelId(pointer), release: releaseOf(pointer) };
  return problem('channel_release_unknown', { field: 'targets', facts });
}

/** @throws Problem trust_change_unexpected, channel_malformed */
function movedIn({ change }: TakenTargets): readonly ChannelPointer[] {
  const moved = [...change.added, ...change.changed];
  requireChannels([...moved, ...change.removed]);
  const pointers = channelsIn(new Map(moved.map((target) => [target.path, target])));
  if (pointers.size < moved.length) {
    const [malformed] = moved.filter((target) => channelsIn(new Map([[target.path, target]])).size === 0);
    throw problem('channel_malformed', { field: 'targets', facts: { path: malformed?.path ?? '' } });
  }
  return [...pointers.values()];
}

function requireChannels(targets: readonly Target[]): void {
  const other = targets.find(({ path }) => !path.startsWith('channels/'));
  if (other) throw problem('trust_change_unexpected', { field: 'targets', facts: { path: other.path } });
}

function removedIn({ change }: TakenTargets): readonly ChannelId[] {
  return change.removed.map(({ path }) =>
    path.replace(/^channels\/([^/]+)\/([^/]+)\/([^/]+)\.json$/, '$1/@$2/$3'),
  );
}

/** A pinned one may be unpinned, and moves after that. */
function requireFree(held: ChannelPointer | undefined, next: ChannelPointer): void {
  if (!held?.pinned || held.version === next.version) return;
  throw problem('channel_pinned', { facts: { channel: channelId(held), version: held.version } });
}

function requireUnnamed(id: ChannelId, by: Awaited<ReturnType<NamedBy>>): void {
  const namings = [
    ...namedByMachines(by.machines),
    ...namedBySegments(by.segments),
    ...namedByProfiles(by.profiles),
    ...namedByAssignments(by.assignments),
  ];
  const use = namings.find(({ release }) => release === id)?.use;
  if (use) throw problem('channel_in_use', { facts: { channel: id, user: `${use.kind} ${use.name}` } });
}

/** The pointers of the channels that references name; of references to releases there is nothing to say. */
export function pointersOf(
  references: ReadonlySet<string>,
  channels: readonly ChannelPointer[],
): readonly ChannelPointer[] {
  const named = [...references].filter(isChannelId);
  return channels.filter((pointer) => named.includes(channelId(pointer)));
}
