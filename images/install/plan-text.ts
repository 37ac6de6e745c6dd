import { diskText } from './disk.ts';
import type { DiskPlan } from './plan.ts';
import { sizeText } from './size.ts';

/**
 * What a plan does, line by line, for whoever must agree to it.
 * @param isDiskImage whether the image of a disk is written, which has partitions of its own.
 */
export function planText(plan: DiskPlan, isDiskImage = false): string {
  const { disks, fileSystems, group, erases, table, firmware, bootLoader } = plan;
  const isMirror = disks.length > 1;
  const use = (name: string): string => {
    const made = fileSystems.find(({ on }) => on.name === name);
    if (!made) return name === group?.name ? `volume group ${name}` : 'boot loader';
    return made.mount === undefined ? made.type : `${made.type} at ${made.mount}`;
  };
  const how = isDiskImage
    ? 'written over from its beginning by the image of a disk'
    : `${table.toUpperCase()}, ${firmware.toUpperCase()}, ${bootLoader}`;
  return [
    ...(isMirror ? ['Mirror (RAID 1) over these disks:'] : []),
    ...disks.flatMap(({ name, disk, partitions }) => [
      `${diskText({ name, ...disk })} of ${sizeText(disk.sizeBytes)}, ${how}`,
      ...(isDiskImage ? [] : partitions).map(
        (each) =>
          `  ${each.number}  ${sizeText(each.lengthBytes).padEnd(10)} ${each.name.padEnd(12)} ${use(each.name)}`,
      ),
    ]),
    ...((!isDiskImage && group?.volumes) || []).map(
      ({ name, lengthBytes }) => `  ${group?.name}/${name}  ${sizeText(lengthBytes)}  ${use(name)}`,
    ),
    ...(erases.length === 0
      ? ['Nothing is known to be lost.']
      : ['Lost for good:', ...erases.map((each) => `  ${each}`)]),
  ].join('\n');
}
