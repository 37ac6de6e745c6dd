import {
  type OnlineKeys,
  type Publication,
  problem,
  type RootChange,
  type Trust as TrustShown,
} from '@bootswarm/controller/contract';
import type { ReleaseId } from '@bootswarm/images/format';
import {
  checkRoot,
  checkTargets,
  isDue,
  releasePath,
  releaseTarget,
  type Target,
  type TargetsChange,
  targetsIn,
  verifyTargets,
} from '@bootswarm/images/trust';
import type { StateStore } from '../store/state-store.ts';
import { type Plan, type Reads, transact } from '../store/transact.ts';
import { ensureOnlineKeys, makeNextOnlineKeys, pairsFor } from './online-keys.ts';
import { fileOf, rootsIn, signedIn, withRoot, withSigned } from './repository.ts';

export type Writes = Omit<Plan<unknown>, 'result'>;

/** Targets that were verified, in a transaction: what differs, what they hold, and what to put beside. */
export interface TakenTargets {
  readonly change: TargetsChange;
  readonly targets: ReadonlyMap<string, Target>;
  readonly put: Readonly<Record<string, unknown>>;
}

/**
 * The signed metadata that edges and machines believe. What the operator signs (roots, targets) is checked and kept;
 * snapshot and timestamp are signed here, in the same step as what they name.
 */
export class Trust {
  readonly #store: StateStore;

  constructor(store: StateStore) {
    this.#store = store;
  }

  async show(): Promise<TrustShown> {
    const onlineKeys = await ensureOnlineKeys(this.#store);
    const [roots, signed] = [await rootsIn(this.#store), await signedIn(this.#store)];
    return {
      root: roots.at(-1) ?? null,
      targets: signed?.targets.at(-1) ?? null,
      snapshot: signed?.snapshots.at(-1) ?? null,
      timestamp: signed?.timestamp ?? null,
      onlineKeys,
    };
  }

  /** The root with which everything began, or undefined where nothing has. */
  async firstRoot(): Promise<string | undefined> {
    return (await rootsIn(this.#store))[0];
  }

  /** @throws Problem trust_file_unknown */
  async file(name: string): Promise<string> {
    const text = fileOf(name, await rootsIn(this.#store), await signedIn(this.#store));
    if (text === undefined) throw problem('trust_file_unknown', { facts: { file: name } });
    return text;
  }

  /** Keys that follow the ones that sign now, once a root names them. */
  makeOnlineKeys(): Promise<OnlineKeys> {
    return makeNextOnlineKeys(this.#store);
  }

  /**
   * Takes the first root with the first targets, or the next root. Putting the same again changes nothing.
   * @param manifestTargets targets of what is published, which the first targets may vouch for.
   * @throws Problem trust_online_keys, trust_change_unexpected, trust_missing and those of images/trust.
   */
  async replaceRoot(
    { root, targets }: RootChange,
    manifestTargets: () => Promise<readonly Target[]>,
    now: Date,
  ): Promise<TrustShown> {
    await transact(this.#store, 'the root of trust', async (reads) => {
      const roots = await rootsIn(reads);
      const held = await signedIn(reads);
      const current = held?.targets.at(-1);
      const newest = roots.at(-1);
      if (newest === root) return { result: undefined };
      checkRoot(newest, root, now);
      const { pairs, put } = await pairsFor(reads, root);
      const next = targets ?? current;
      if (next === undefined) throw problem('trust_missing', { field: 'targets' });
      // Those that stay must be signed by a key that the new root still names.
      if (targets === undefined) verifyTargets(root, next);
      else
        requireOnly(
          checkTargets(root, current, targets, now),
          current === undefined ? await manifestTargets() : [],
        );
      return {
        put: { ...put, ...withRoot(roots, root), ...withSigned(held, next, pairs, now) },
        result: undefined,
      };
    });
    return this.show();
  }

  /** @throws Problem trust_missing, trust_change_unexpected and those of images/trust. */
  async renewTargets(targets: string, now: Date): Promise<TrustShown> {
    await transact(this.#store, 'the signed targets', async (reads) => {
      const { change, put } = await this.take(reads, targets, now);
      requireOnly(change, []);
      return { put, result: undefined };
    });
    return this.show();
  }

  /**
   * Verifies targets that are to follow, for a transaction that changes more. The caller says which changes it is about.
   * @throws Problem trust_missing and those of images/trust: metadata_version where others published meanwhile.
   */
  async take(reads: Reads, targets: string, now: Date): Promise<TakenTargets> {
    const root = (await rootsIn(reads)).at(-1);
    const held = await signedIn(reads);
    const current = held?.targets.at(-1);
    if (root === undefined || current === undefined) throw problem('trust_missing');
    const change = checkTargets(root, current, targets, now);
    const { pairs } = await pairsFor(reads, root);
    return { change, targets: targetsIn(targets), put: withSigned(held, targets, pairs, now) };
  }

  /** What publishing a release puts beside it. @throws Problem as `take`, trust_target_missing, trust_change_unexpected. */
  async publication(reads: Reads, { manifest, targets }: Publication, now: Date): Promise<Writes> {
    const taken = await this.take(reads, targets, now);
    const wanted = releaseTarget(manifest);
    const { path } = wanted;
    if (!isSame(taken.targets.get(path), wanted))
      throw problem('trust_target_missing', { field: 'targets', facts: { path } });
    requireOnly(taken.change, [wanted]);
    return { put: taken.put };
  }

  /**
   * What removing releases puts beside it.
   * @throws Problem as `take`, and trust_change_unexpected where the targets lose more or less than these.
   */
  async withdrawal(reads: Reads, ids: readonly ReleaseId[], targets: string, now: Date): Promise<Writes> {
    const { change, put } = await this.take(reads, targets, now);
    const paths = new Set(ids.map(releasePath));
    requireOnly({ ...change, removed: change.removed.filter(({ path }) => !paths.has(path)) }, []);
    const left = ids.find((id) => !change.removed.some(({ path }) => path === releasePath(id)));
    if (left !== undefined)
      throw problem('trust_change_unexpected', { field: 'targets', facts: { path: releasePath(left) } });
    return { put };
  }

  /** Signs snapshot and timestamp anew where half of their time is over. @returns whether it did. */
  resign(now: Date): Promise<boolean> {
    return transact(this.#store, 'the timestamp', async (reads) => {
      const [root, held] = [(await rootsIn(reads)).at(-1), await signedIn(reads)];
      const [snapshot, targets] = [held?.snapshots.at(-1), held?.targets.at(-1)];
      if (root === undefined || !held || snapshot === undefined || targets === undefined)
        return { result: false };
      if (!isDue('timestamp', held.timestamp, now) && !isDue('snapshot', snapshot, now))
        return { result: false };
      const { pairs } = await pairsFor(reads, root);
      return { put: withSigned(held, targets, pairs, now), result: true };
    });
  }
}

/** @throws Problem trust_change_unexpected where anything but these came, or anything went. */
function requireOnly({ added, changed, removed }: TargetsChange, expected: readonly Target[]): void {
  const isExpected = (target: Target): boolean => expected.some((each) => isSame(target, each));
  const [other] = [...added.filter((target) => !isExpected(target)), ...changed, ...removed];
  if (other) throw problem('trust_change_unexpected', { field: 'targets', facts: { path: other.path } });
}

function isSame(a: Target | undefined, b: Target): boolean {
  return a?.path === b.path && a.sha256 === b.sha256 && a.length === b.length;
}
