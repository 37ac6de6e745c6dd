import type { ImageProfile } from '@bootswarm/controller/contract';
import type { DiskPlan } from '@bootswarm/images/install';
import { hasCloudInit } from './cloud-init.ts';
import { FIRST_BOOT_PROGRAMS } from './first-boot.ts';
import { hasModule, type InstalledKernel, initramfsCommand } from './kernels.ts';
import { networkKind } from './network.ts';
import { takeoverLacks } from './takeover.ts';
import { firstOf, programIn, type SystemView } from './view.ts';

export interface Lack {
  readonly lacks: string;
  /** What would not work without it: `a mirror`. */
  readonly purpose: string;
}

/** What an image must have so that a profile works in it, and has not; the first that is found. Pure. */
export function machineLack(
  view: SystemView,
  { firstBoot }: Pick<ImageProfile, 'firstBoot'>,
): Lack | undefined {
  const isWithout = (name: string): boolean => programIn(view, name) === undefined;
  const { takeover, userData, timezone } = firstBoot;
  const handedOver = takeover && takeoverLacks(view, takeover);
  const hasSystemd = firstOf(view, ['/usr/lib/systemd/systemd', '/lib/systemd/systemd']) !== undefined;
  return firstLack([
    [!hasSystemd, 'systemd', 'the first boot'],
    [FIRST_BOOT_PROGRAMS.every(isWithout), FIRST_BOOT_PROGRAMS.join(', '), 'the word that it is up'],
    [networkKind(view) === undefined, 'netplan, NetworkManager or systemd-networkd', 'the network'],
    [userData !== undefined && !hasCloudInit(view), 'cloud-init', 'userData'],
    [
      timezone !== 'Etc/UTC' && !view.has(`/usr/share/zoneinfo/${timezone}`),
      `time zone ${timezone}`,
      'firstBoot',
    ],
    [handedOver !== undefined, handedOver ?? '', `takeover by ${takeover?.kind}`],
  ]);
}

/** The same for the disks that it is laid out on. Pure. */
export function diskLack(
  view: SystemView,
  kernels: readonly InstalledKernel[],
  plan: DiskPlan,
): Lack | undefined {
  const isWithout = (name: string): boolean => programIn(view, name) === undefined;
  const isMirror = plan.disks.length > 1;
  const types = new Set(plan.fileSystems.map(({ type }) => type));
  const drivers: readonly (readonly [string, string])[] = [
    ...[...types]
      .filter((type) => type !== 'swap')
      .map((type) => [type, `a file system of ${type}`] as const),
    ...(isMirror ? [['raid1', 'a mirror'] as const] : []),
    ...(plan.group ? [['dm_mod', 'a volume group'] as const] : []),
  ];
  return firstLack([
    ...kernels.flatMap((kernel) => [
      ...drivers.map(
        ([name, purpose]) =>
          [
            !hasModule(view, kernel.release, name),
            `driver ${name} of kernel ${kernel.release}`,
            purpose,
          ] as const,
      ),
      [
        initramfsCommand(view, kernel) === undefined,
        'initramfs-tools or dracut',
        'the boot from a disk',
      ] as const,
    ]),
    [isMirror && isWithout('mdadm'), 'mdadm', 'a mirror'],
    [plan.group !== undefined && isWithout('lvm'), 'lvm2', 'a volume group'],
    [plan.bootLoader === 'extlinux' && isWithout('extlinux'), 'extlinux', 'the boot loader of the layout'],
  ]);
}

function firstLack(
  all: readonly (readonly [isMissing: boolean, lacks: string, purpose: string])[],
): Lack | undefined {
  const found = all.find(([isMissing]) => isMissing);
  return found && { lacks: found[1], purpose: found[2] };
}
