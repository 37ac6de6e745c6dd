import type { Change } from './state-store.ts';

/** Keys that are remembered; of what came before, everything may have changed. */
const KEYS_MOST = 100_000;

/** Whether anybody who keeps a copy would read this key again: of the others nothing is remembered. */
export type IsFollowed = (key: string) => boolean;

/** Which keys the last commits changed, so that who keeps a copy of a part need not read all of it again. */
export class RecentChanges {
  readonly #commits: { readonly revision: number; readonly keys: readonly string[] }[] = [];
  /** Every commit after this revision is in `#commits`. */
  #completeAfter: number;
  #last: number;
  #keyCount = 0;
  readonly #keysMost: number;
  readonly #isFollowed: IsFollowed;

  /** @param revision of the store now. */
  constructor(revision: number, isFollowed: IsFollowed = () => true, keysMost = KEYS_MOST) {
    this.#completeAfter = revision;
    this.#last = revision;
    this.#isFollowed = isFollowed;
    this.#keysMost = keysMost;
  }

  /** To be told of each commit in the order of their revisions; one that is told again took the place of one that failed. */
  note(revision: number, { put = {}, remove = [] }: Change): void {
    while (this.#commits.length > 0 && (this.#commits.at(-1)?.revision ?? 0) >= revision)
      this.#keyCount -= this.#commits.pop()?.keys.length ?? 0;
    if (revision > this.#last + 1) {
      this.#commits.length = 0;
      this.#keyCount = 0;
      this.#completeAfter = revision - 1;
    }
    const keys = [...Object.keys(put), ...remove].filter(this.#isFollowed);
    this.#commits.push({ revision, keys });
    this.#keyCount += keys.length;
    this.#last = revision;
    while (this.#keyCount > this.#keysMost) {
      const oldest = this.#commits.shift();
      if (!oldest) return;
      this.#keyCount -= oldest.keys.length;
      this.#completeAfter = oldest.revision;
    }
  }

  /** Those that are followed. @param now the store's revision. @returns undefined where some may be missing. */
  since(after: number, now: number): ReadonlySet<string> | undefined {
    if (after < this.#completeAfter || now > this.#last) return undefined;
    const keys = new Set<string>();
    for (let at = this.#commits.length - 1; at >= 0; at--) {
      const commit = this.#commits[at];
      if (!commit || commit.revision <= after) break;
      for (const key of commit.keys) keys.add(key);
    }
    return keys;
  }
}
