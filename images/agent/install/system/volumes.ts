import type { DiskPlan } from '@bootswarm/images/install';
import { type Change, file, type SystemView } from './view.ts';

/**
 * mdadm.conf(5), so that the initramfs puts the mirrors together under the names that they have here.
 * @param arrays lines of `mdadm --detail --brief`.
 */
export function volumeChanges(
  view: SystemView,
  { disks }: Pick<DiskPlan, 'disks'>,
  arrays: readonly string[],
): readonly Change[] {
  if (disks.length < 2) return [];
  const path =
    view.has('/etc/mdadm') || view.has('/etc/debian_version') ? '/etc/mdadm/mdadm.conf' : '/etc/mdadm.conf';
  const lines = arrays.map((line) => line.trim()).filter((line) => line.startsWith('ARRAY '));
  return [
    file(
      path,
      ['# By Bootswarm, at the installation.', 'HOMEHOST <ignore>', 'MAILADDR root', ...lines, ''].join('\n'),
    ),
  ];
}
