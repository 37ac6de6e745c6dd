import { type Disk, type DiskFacts, diskText, type Holding } from './disk.ts';
import type { DiskHints, DiskLayout } from './profile.ts';
import { type Refusal, refusal } from './refusal.ts';
import { bytesOf, sizeText } from './size.ts';

/** Of a mount or a partition table nobody is robbed; of these somebody is. */
const SOMEBODYS: ReadonlySet<Holding['kind']> = new Set([
  'data-mark',
  'raid',
  'lvm',
  'zfs',
  'btrfs',
  'luks',
  'ceph',
  'unreadable',
]);

/**
 * The disks that a layout is about: each hint must hold of exactly one disk, and of another one than the hints before.
 * Fails closed: where anything is in doubt nothing is written. Pure.
 */
export function chooseDisks(
  { disks }: Pick<DiskFacts, 'disks'>,
  layout: DiskLayout,
): readonly Disk[] | Refusal {
  const chosen: Disk[] = [];
  for (const hints of layout.disks) {
    const matching = disks.filter((disk) => matches(disk, hints));
    const [disk, ...others] = matching;
    if (!disk) return refusal('disk_not_found', { hints: hintsText(hints), found: listText(disks) });
    if (others.length > 0)
      return refusal('disk_ambiguous', { hints: hintsText(hints), found: listText(matching) });
    if (chosen.includes(disk)) return refusal('disk_twice', { disk: diskText(disk) });
    // A path is not the disk: what goes by another one would not hear of what was written by this.
    const twins = disks.filter(({ wwn }) => wwn !== undefined && wwn === disk.wwn);
    if (twins.length > 1)
      return refusal('disk_twin', { disk: diskText(disk), found: twins.map(({ name }) => name).join(', ') });
    const objection = objectionTo(disk, layout.mayErase);
    if (objection) return objection;
    chosen.push(disk);
  }
  return chosen;
}

function matches(disk: Disk, hints: DiskHints): boolean {
  const { serial, wwn, model, byPath, minSize, maxSize, isRotational } = hints;
  const tests: readonly boolean[] = [
    serial === undefined || disk.serial === serial,
    wwn === undefined || disk.wwn?.toLowerCase() === wwn.toLowerCase(),
    model === undefined || (disk.model?.includes(model) ?? false),
    byPath === undefined || disk.byPath.includes(byPath),
    minSize === undefined || disk.sizeBytes >= bytesOf(minSize),
    maxSize === undefined || disk.sizeBytes <= bytesOf(maxSize),
    isRotational === undefined || disk.isRotational === isRotational,
    // A stick that somebody forgot is no root disk, unless its place is named.
    !disk.isRemovable || byPath !== undefined || serial !== undefined,
  ];
  return tests.every(Boolean);
}

function objectionTo(disk: Disk, mayErase: readonly string[]): Refusal | undefined {
  if (disk.isReadOnly) return refusal('disk_read_only', { disk: diskText(disk) });
  if (disk.isBusy) return refusal('disk_busy', { disk: diskText(disk) });
  const isNamed = mayErase.some((name) => name === disk.serial || name === disk.wwn);
  const holding = disk.holds.find(({ kind }) => SOMEBODYS.has(kind));
  if (!holding || isNamed) return undefined;
  const { kind, where, detail } = holding;
  const known = disk.serial ?? disk.wwn ?? 'its serial number or WWN';
  if (kind === 'unreadable')
    return refusal('disk_unreadable', { disk: diskText(disk), what: `${where} (${detail})`, name: known });
  return refusal('disk_holds_data', {
    disk: diskText(disk),
    what: `${kind} on ${where}${detail === '' ? '' : ` (${detail})`}`,
    name: known,
  });
}

function hintsText(hints: DiskHints): string {
  return Object.entries(hints)
    .map(([name, value]) => `${name} ${value}`)
    .join(', ');
}

function listText(disks: readonly Disk[]): string {
  if (disks.length === 0) return 'no disk at all';
  return disks.map((disk) => `${diskText(disk)} of ${sizeText(disk.sizeBytes)}`).join('; ');
}
