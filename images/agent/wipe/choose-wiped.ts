import type { Disk } from '@bootswarm/images/install';
import { problem } from './problems.ts';

/** By a disk's serial number or WWN, or all of them. */
export type WipedDisks = 'all' | readonly string[];

/**
 * The disks that are to be wiped. Fails closed: a name must be that of exactly one disk, and a mark that asks to keep
 * data counts against everything but the disk's own name. Of `all`, sticks and card readers are no part. Pure.
 * @throws Problem wipe_disk_unknown, wipe_disk_ambiguous, wipe_disk_in_use, wipe_disk_read_only, wipe_disk_marked, wipe_disk_unreadable, wipe_nothing
 */
export function chooseWiped(disks: readonly Disk[], wanted: WipedDisks): readonly Disk[] {
  const chosen = wanted === 'all' ? disks.filter((disk) => !disk.isRemovable) : named(disks, wanted);
  if (chosen.length === 0) throw problem('wipe_nothing');
  for (const disk of chosen) {
    const facts = { disk: nameOf(disk) };
    if (disk.isReadOnly) throw problem('wipe_disk_read_only', { facts });
    if (disk.isBusy) throw problem('wipe_disk_in_use', { facts });
    if (wanted === 'all' && disk.holds.some(({ kind }) => kind === 'data-mark'))
      throw problem('wipe_disk_marked', { facts });
    if (wanted === 'all' && disk.holds.some(({ kind }) => kind === 'unreadable'))
      throw problem('wipe_disk_unreadable', { facts });
  }
  return chosen;
}

/** For a person: `sda (ACME SPINNER, serial SC-3)`. */
export function nameOf({ name, model, serial, wwn }: Disk): string {
  const known = [model, serial === undefined ? wwn : `serial ${serial}`].filter((each) => each !== undefined);
  return known.length === 0 ? name : `${name} (${known.join(', ')})`;
}

function named(disks: readonly Disk[], names: readonly string[]): readonly Disk[] {
  const chosen = names.map((name) => {
    const lower = name.toLowerCase();
    const [disk, ...others] = disks.filter(
      ({ serial, wwn }) => serial?.toLowerCase() === lower || wwn?.toLowerCase() === lower,
    );
    if (!disk) {
      const found = disks.map(nameOf).join('; ') || 'no disk';
      throw problem('wipe_disk_unknown', { facts: { name, found } });
    }
    if (others.length > 0) {
      const found = [disk, ...others].map(nameOf).join('; ');
      throw problem('wipe_disk_ambiguous', { facts: { name, found } });
    }
    return disk;
  });
  return [...new Set(chosen)];
}
