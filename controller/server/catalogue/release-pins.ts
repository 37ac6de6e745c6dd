import type { Release } from '@bootswarm/controller/contract';
import type { ReleaseId } from '@bootswarm/images/format';
import type { StateStore } from '../store/state-store.ts';
import { transact } from '../store/transact.ts';
import { holdRelease, type Naming } from './release-uses.ts';
import { type Releases, unknownRelease } from './releases.ts';

const PREFIX = 'release-pins/';

/** Releases that an operator wants to stay, whatever retention says. */
export class ReleasePins {
  readonly #store: StateStore;
  readonly #releases: Releases;

  constructor(store: StateStore, releases: Releases) {
    this.#store = store;
    this.#releases = releases;
  }

  /** Pinning it again changes nothing. @throws Problem not_found */
  pin(id: ReleaseId, now: Date): Promise<Release> {
    return transact(this.#store, `release ${id}`, async (reads) => {
      const release = await this.#releases.find(id);
      if (!release) throw unknownRelease(id);
      if (await reads.get(PREFIX + id)) return { result: release };
      const held = await holdRelease(reads, id);
      return { put: { ...held, [PREFIX + id]: now.toISOString() }, result: release };
    });
  }

  /** One that is not pinned stays so. @throws Problem not_found */
  unpin(id: ReleaseId): Promise<Release> {
    return transact(this.#store, `release ${id}`, async (reads) => {
      const result = await this.#releases.show(id);
      return { remove: (await reads.get(PREFIX + id)) ? [PREFIX + id] : [], result };
    });
  }

  async namings(): Promise<Naming[]> {
    const entries = await this.#store.list(PREFIX);
    return entries.map(({ key }) => {
      const release = key.slice(PREFIX.length);
      return { release, use: { kind: 'pin', name: release } };
    });
  }
}
