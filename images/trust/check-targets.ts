import { outlineOf, readMetadata } from './metadata.ts';
import { problem } from './problems.ts';
import { verifyBy } from './root.ts';
import { type Target, targetsIn } from './targets.ts';

/** Paths of targets that differ between two versions. */
export interface TargetsChange {
  readonly added: readonly Target[];
  readonly removed: readonly Target[];
  /** As they are afterwards. */
  readonly changed: readonly Target[];
}

/**
 * Holds offered targets metadata against the root that names its keys and the version that holds now.
 * @returns what differs.
 * @throws Problem metadata_unreadable, metadata_unsigned, metadata_version, metadata_expired, too_many_targets
 */
export function checkTargets(
  root: string,
  current: string | undefined,
  offered: string,
  now: Date = new Date(),
): TargetsChange {
  const next = readMetadata('targets', offered);
  verifyBy(root, 'targets', next);
  const { version, expires } = next.signed;
  const wanted = current === undefined ? 1 : outlineOf(current).version + 1;
  if (version !== wanted) throw problem('metadata_version', { facts: { role: 'targets', version, wanted } });
  if (new Date(expires) <= now) throw problem('metadata_expired', { facts: { role: 'targets', expires } });
  return difference(current === undefined ? new Map() : targetsIn(current), targetsIn(offered));
}

function difference(before: ReadonlyMap<string, Target>, after: ReadonlyMap<string, Target>): TargetsChange {
  const same = (a: Target, b: Target): boolean =>
    a.sha256 === b.sha256 && a.length === b.length && JSON.stringify(a.custom) === JSON.stringify(b.custom);
  return {
    added: [...after.values()].filter(({ path }) => !before.has(path)),
    removed: [...before.values()].filter(({ path }) => !after.has(path)),
    changed: [...after.values()].filter((target) => {
      const held = before.get(target.path);
      return held !== undefined && !same(held, target);
    }),
  };
}

/** @throws Problem metadata_unreadable, metadata_unsigned: nobody who may publish signed it. */
export function verifyTargets(root: string, targets: string): void {
  verifyBy(root, 'targets', readMetadata('targets', targets));
}
