import { problem, type ReleaseRemoval } from '@bootswarm/controller/contract';
import type { ReleaseId } from '@bootswarm/images/format';
import { releasePath } from '@bootswarm/images/trust';
import type { StateStore } from '../store/state-store.ts';
import { transact } from '../store/transact.ts';
import type { Trust } from '../trust/trust.ts';
import type { ReleaseUses } from './release-uses.ts';
import type { Releases } from './releases.ts';

/**
 * Removes releases together with what vouches for them, in one transaction: nobody finds a release that is signed for
 * and gone, or one that is there and not signed for.
 * @returns the removed.
 * @throws Problem not_found, release_in_use, trust_change_unexpected, trust_missing and those of images/trust.
 */
export function removeReleases(
  { store, trust, releases, uses }: Parts,
  { releases: ids, targets }: ReleaseRemoval,
  now: Date,
): Promise<ReleaseId[]> {
  return transact(store, 'the releases', async (reads) => {
    const wanted = [...new Set(ids)];
    const { change, put } = await trust.take(reads, targets, now);
    const paths = new Set(wanted.map(releasePath));
    const other = [
      ...change.added,
      ...change.changed,
      ...change.removed.filter(({ path }) => !paths.has(path)),
    ][0];
    if (other) throw problem('trust_change_unexpected', { field: 'targets', facts: { path: other.path } });
    const removal = await releases.removal(reads, wanted, uses, now);
    return { ...removal, put: { ...put, ...removal.put }, result: wanted };
  });
}

interface Parts {
  readonly store: StateStore;
  readonly trust: Trust;
  readonly releases: Releases;
  readonly uses: ReleaseUses;
}
