import { isDeepStrictEqual } from 'node:util';
import { problem, Release } from '@bootswarm/controller/contract';
import {
  type Artefact,
  type Digest,
  type Manifest,
  type ReleaseId,
  releaseId,
} from '@bootswarm/images/format';
import type { StateStore } from '../store/state-store.ts';
import { transact } from '../store/transact.ts';
import { artefactKey } from './uploads.ts';

const PREFIX = 'releases/';

/** The published releases. */
export class Releases {
  readonly #store: StateStore;

  constructor(store: StateStore) {
    this.#store = store;
  }

  async list(): Promise<Release[]> {
    const entries = await this.#store.list(PREFIX);
    return entries.map(({ value }) => Release.parse(value));
  }

  async find(id: ReleaseId): Promise<Release | undefined> {
    const entry = await this.#store.get(PREFIX + id);
    return entry && Release.parse(entry.value);
  }

  /** @throws Problem not_found */
  async show(id: ReleaseId): Promise<Release> {
    const release = await this.find(id);
    if (!release) throw problem('not_found', { facts: { kind: 'image', name: id } });
    return release;
  }

  /**
   * Makes a release for good. Publishing the same again changes nothing.
   * @throws Problem release_immutable, release_artefact_missing, release_artefact_differs
   */
  publish(manifest: Manifest, now: Date): Promise<Release> {
    const id = releaseId(manifest);
    return transact(this.#store, `release ${id}`, async (reads) => {
      const held = await reads.get(PREFIX + id);
      if (held) {
        const release = Release.parse(held.value);
        if (isDeepStrictEqual(release.manifest, manifest)) return { result: release };
        throw problem('release_immutable', { field: 'version', facts: { release: id } });
      }
      for (const [index, artefact] of manifest.artefacts.entries()) {
        const entry = await reads.get(artefactKey(artefact.sha256));
        checkArtefact(artefact, entry?.value as Digest | undefined, `artefacts[${index}]`);
      }
      const release: Release = { manifest, publishedAt: now.toISOString() };
      return { put: { [PREFIX + id]: release }, result: release };
    });
  }
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
