import {
  type Intent,
  type Machine,
  problem,
  type ReleaseUse,
  type Segment,
} from '@bootswarm/controller/contract';
import type { ReleaseId } from '@bootswarm/images/format';
import type { Reads } from '../store/transact.ts';

export const RELEASES_PREFIX = 'releases/';

export function releaseKey(id: ReleaseId): string {
  return RELEASES_PREFIX + id;
}

/** Written by every transaction that makes something name a release, and read by the one that removes it. */
function guardKey(id: ReleaseId): string {
  return `guards/releases/${id}`;
}

/**
 * For a transaction that makes something name a release: the release is there, and of this and its removal at the same
 * time one loses and looks again.
 * @returns what to put beside.
 * @throws Problem machine_release_unknown
 */
export async function holdRelease(reads: Reads, id: ReleaseId): Promise<Readonly<Record<string, unknown>>> {
  if (await reads.get(releaseKey(id))) return { [guardKey(id)]: id };
  throw problem('machine_release_unknown', { field: 'release', facts: { release: id } });
}

/** The other half of `holdRelease`. @returns what to remove beside. */
export async function guardRemoval(reads: Reads, id: ReleaseId): Promise<readonly string[]> {
  return (await reads.get(guardKey(id))) ? [guardKey(id)] : [];
}

/**
 * For a transaction that keeps an intent. @returns what to put beside it.
 * @throws Problem where the intent names what does not exist.
 */
export type CheckIntent = (intent: Intent, reads: Reads) => Promise<Readonly<Record<string, unknown>>>;

/** Something that names a release. */
export interface Naming {
  readonly release: ReleaseId;
  readonly use: ReleaseUse;
}

/**
 * One room's namings. What it reads must be among `reads`, or whatever changes it must put what `holdRelease` gives, so
 * that no release is removed which was named meanwhile.
 */
export type NamingSource = (reads: Pick<Reads, 'get'>) => Promise<readonly Naming[]>;

/** What names releases, over all rooms: the one answer to whether a release may go. */
export class ReleaseUses {
  readonly #sources: readonly NamingSource[];

  constructor(sources: readonly NamingSource[]) {
    this.#sources = sources;
  }

  /** By release; one that nothing names is not in it. */
  async all(reads: Pick<Reads, 'get'>): Promise<ReadonlyMap<ReleaseId, readonly ReleaseUse[]>> {
    const namings = (await Promise.all(this.#sources.map((source) => source(reads)))).flat();
    const byRelease = Map.groupBy(namings, ({ release }) => release);
    return new Map(Array.from(byRelease, ([id, of]) => [id, of.map(({ use }) => use)]));
  }
}

export function namedByMachines(machines: readonly Machine[]): Naming[] {
  return machines.flatMap(({ id, intent }) => naming(intent, { kind: 'machine', name: id }));
}

export function namedBySegments(segments: readonly Segment[]): Naming[] {
  return segments.flatMap(({ name, defaultIntent, menu }) => [
    ...naming(defaultIntent, { kind: 'segment', name }),
    ...(menu?.entries ?? []).flatMap((entry) => naming(entry, { kind: 'menu', name })),
  ]);
}

/** Whatever kind of intent or entry it is: what has a release names it. A channel names its release by itself. */
function naming(what: Intent | object | undefined, use: ReleaseUse): Naming[] {
  return what && 'release' in what && typeof what.release === 'string'
    ? [{ release: what.release, use }]
    : [];
}
