import { isDeepStrictEqual } from 'node:util';
import { problem, Release, type ReleaseUse, releaseUseText } from '@bootswarm/controller/contract';
import {
  type Artefact,
  type Digest,
  type Manifest,
  manifestBytes,
  type ReleaseId,
  releaseId,
  sha256Of,
} from '@bootswarm/images/format';
import type { StateStore } from '../store/state-store.ts';
import { type Plan, type Reads, transact } from '../store/transact.ts';
import { guardRemoval, RELEASES_PREFIX, type ReleaseUses, releaseKey } from './release-uses.ts';
import { artefactKey } from './uploads.ts';

/** Put by every transaction that makes a release, and read by those that depend on which there are. */
const PUBLISHED_GUARD = 'guards/published';

/** What is left of a release that was removed: its version never comes back with other contents. */
function removedKey(id: ReleaseId): string {
  return `removed-releases/${id}`;
}

const MOST_USES_NAMED = 5;

interface Removed {
  /** SHA-256 of the manifest. */
  readonly sha256: string;
  readonly removedAt: string;
}

/** The published releases. */
export class Releases {
  readonly #store: StateStore;

  constructor(store: StateStore) {
    this.#store = store;
  }

  async list(): Promise<Release[]> {
    const entries = await this.#store.list(RELEASES_PREFIX);
    return entries.map(({ value }) => Release.parse(value));
  }

  /** All releases; the transaction of `reads` loses where one is published meanwhile. */
  async within(reads: Reads): Promise<Release[]> {
    await reads.get(PUBLISHED_GUARD);
    return this.list();
  }

  async find(id: ReleaseId): Promise<Release | undefined> {
    const entry = await this.#store.get(releaseKey(id));
    return entry && Release.parse(entry.value);
  }

  /** @throws Problem not_found */
  async show(id: ReleaseId): Promise<Release> {
    const release = await this.find(id);
    if (!release) throw unknownRelease(id);
    return release;
  }

  /**
   * Makes a release for good. Publishing the same again changes nothing.
   * @param vouch what a release that is new puts beside it: the signed metadata that vouches for it.
   * @throws Problem release_immutable, release_artefact_missing, release_artefact_differs
   */
  publish(
    manifest: Manifest,
    now: Date,
    vouch: (reads: Reads) => Promise<Omit<Plan<unknown>, 'result'>> = async () => ({}),
  ): Promise<Release> {
    const id = releaseId(manifest);
    return transact(this.#store, `release ${id}`, async (reads) => {
      const held = await reads.get(releaseKey(id));
      if (held) {
        const release = Release.parse(held.value);
        if (isDeepStrictEqual(release.manifest, manifest)) return { result: release };
        throw problem('release_immutable', { field: 'version', facts: { release: id } });
      }
      const removed = (await reads.get(removedKey(id)))?.value as Removed | undefined;
      if (removed && removed.sha256 !== sha256Of(manifestBytes(manifest)))
        throw problem('release_removed', {
          field: 'version',
          facts: { release: id, removedAt: removed.removedAt.slice(0, 10) },
        });
      for (const [index, artefact] of manifest.artefacts.entries()) {
        const entry = await reads.get(artefactKey(artefact.sha256));
        checkArtefact(artefact, entry?.value as Digest | undefined, `artefacts[${index}]`);
      }
      const release: Release = { manifest, publishedAt: now.toISOString() };
      const { put } = await vouch(reads);
      return { put: { ...put, [releaseKey(id)]: release, [PUBLISHED_GUARD]: id }, result: release };
    });
  }

  /**
   * What removes releases, for a transaction that may change more. Their bytes stay until garbage is collected.
   * @throws Problem not_found, release_in_use
   */
  async removal(
    reads: Reads,
    ids: readonly ReleaseId[],
    uses: ReleaseUses,
    now: Date,
  ): Promise<Omit<Plan<unknown>, 'result'>> {
    const put: Record<string, Removed> = {};
    const remove: string[] = [];
    for (const id of ids) {
      const held = await reads.get(releaseKey(id));
      if (!held) throw unknownRelease(id);
      remove.push(releaseKey(id), ...(await guardRemoval(reads, id)));
      const { manifest } = Release.parse(held.value);
      put[removedKey(id)] = { sha256: sha256Of(manifestBytes(manifest)), removedAt: now.toISOString() };
    }
    // After the guards: who names one from here on makes this transaction lose.
    const found = await uses.all(reads);
    for (const id of ids) {
      const of = found.get(id) ?? [];
      if (of.length > 0) throw problem('release_in_use', { facts: { release: id, uses: usesText(of) } });
    }
    return { put, remove };
  }
}

export function unknownRelease(id: ReleaseId): Error {
  return problem('not_found', { facts: { kind: 'image', name: id } });
}

function usesText(uses: readonly ReleaseUse[]): string {
  const texts = uses.slice(0, MOST_USES_NAMED).map(releaseUseText);
  return [...texts, ...(uses.length > texts.length ? [`and ${uses.length - texts.length} more`] : [])].join(
    '; ',
  );
}

/** Holds what the publisher wrote of an artefact against what arrived. */
function checkArtefact(artefact: Artefact, arrived: Digest | undefined, field: string): void {
  const { name, sha256 } = artefact;
  if (!arrived) throw problem('release_artefact_missing', { field, facts: { name, sha256 } });
  for (const what of ['length', 'pieceBytes', 'pieces'] as const) {
    if (!isDeepStrictEqual(artefact[what], arrived[what]))
      throw problem('release_artefact_differs', { field: `${field}.${what}`, facts: { name, what } });
  }
}
