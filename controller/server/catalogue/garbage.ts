import type { Garbage } from '@bootswarm/controller/contract';
import type { ArtefactFile, ArtefactFolder } from '@bootswarm/images/swarm';
import type { StateStore } from '../store/state-store.ts';
import { transact } from '../store/transact.ts';
import { artefactsOf, garbageOf, isBeyondGrace } from './garbage-plan.ts';
import type { ReleaseUses } from './release-uses.ts';
import type { Releases } from './releases.ts';
import type { RetentionSetting } from './retention.ts';
import { artefactKey, type Uploads } from './uploads.ts';

/** Artefacts that go in one transaction. */
const BATCH = 100;

interface Parts {
  readonly store: StateStore;
  readonly folder: Pick<ArtefactFolder, 'survey' | 'remove' | 'discard'>;
  readonly releases: Releases;
  readonly uses: ReleaseUses;
  readonly uploads: Uploads;
  readonly retention: RetentionSetting;
}

/**
 * Finds and removes what nobody needs any more. A release that is there always has all its bytes: an artefact is first
 * forgotten, in a transaction that loses to any release published meanwhile, and its file goes after that, while nobody
 * may send it anew. Wherever this is cut short, the next run goes on.
 */
export class GarbageCollector {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  async survey(now: Date): Promise<Garbage> {
    const { store, folder, releases, uses, retention } = this.#parts;
    // The files before the releases: what is sent in between is not among them.
    const [whole, partial] = [await folder.survey('whole'), await folder.survey('partial')];
    return garbageOf(
      {
        whole,
        partial,
        retention: await retention.show(),
        releases: await releases.list(),
        uses: await uses.all(store),
      },
      now,
    );
  }

  /** Removes artefacts that no release names and uploads that broke off. Releases need the operator's key. */
  async collect(now: Date): Promise<Garbage> {
    const found = await this.survey(now);
    const artefacts = found.artefacts.filter(({ due }) => !due);
    const gone = new Set<string>();
    for (let at = 0; at < artefacts.length; at += BATCH) {
      const batch = artefacts.slice(at, at + BATCH).map(({ sha256 }) => sha256);
      for (const sha256 of await this.#removeArtefacts(batch, now)) gone.add(sha256);
    }
    const dropped = await this.#dropUploads(
      found.uploads.map(({ sha256 }) => sha256),
      now,
    );
    return {
      releases: [],
      artefacts: artefacts.filter(({ sha256 }) => gone.has(sha256)),
      uploads: found.uploads.filter(({ sha256 }) => dropped.has(sha256)),
    };
  }

  async #removeArtefacts(candidates: readonly string[], now: Date): Promise<readonly string[]> {
    const { store, folder, releases, uploads } = this.#parts;
    using hold = uploads.hold(candidates);
    // One may have been sent anew since it was found.
    const isOld = oldOnes(await folder.survey('whole'), now);
    const gone = await transact(store, 'the artefacts', async (reads) => {
      const needed = artefactsOf(await releases.within(reads));
      const result = hold.held.filter((sha256) => isOld.has(sha256) && !needed.has(sha256));
      // A file without an entry is what a crash left of an upload or of a run like this.
      const entries = await Promise.all(result.map((sha256) => reads.get(artefactKey(sha256))));
      return { remove: entries.flatMap((entry) => entry?.key ?? []), result };
    });
    for (const sha256 of gone) await folder.remove(sha256);
    return gone;
  }

  async #dropUploads(candidates: readonly string[], now: Date): Promise<ReadonlySet<string>> {
    const { folder, uploads } = this.#parts;
    using hold = uploads.hold(candidates);
    // One may have been gone on with since it was found.
    const isOld = oldOnes(await folder.survey('partial'), now);
    const dropped = hold.held.filter((sha256) => isOld.has(sha256));
    for (const sha256 of dropped) await folder.discard(sha256);
    return new Set(dropped);
  }
}

function oldOnes(files: readonly ArtefactFile[], now: Date): ReadonlySet<string> {
  return new Set(files.filter((file) => isBeyondGrace(file, now)).map(({ sha256 }) => sha256));
}
