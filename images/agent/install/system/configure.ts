import type { DiskPlan } from '@bootswarm/images/install';
import type { InstallTerms } from '../terms.ts';
import { accessChanges } from './access.ts';
import { grubDefaults, systemArguments } from './boot-config.ts';
import { cloudInitChanges } from './cloud-init.ts';
import { firstBootChanges } from './first-boot.ts';
import { fstabText } from './fstab.ts';
import { identityChanges, placeChanges } from './identity.ts';
import { liveRemainsChanges } from './live-remains.ts';
import { networkChanges, networkKind } from './network.ts';
import { takeoverChanges } from './takeover.ts';
import { type Change, file, type SystemView } from './view.ts';
import { volumeChanges } from './volumes.ts';

/** That makes a copy of an image this machine's own system, wherever it was installed to. Pure. */
export function machineChanges(view: SystemView, order: InstallTerms): readonly Change[] {
  const { profile, machine, firstBootUrl, epoch } = order;
  const { firstBoot } = profile;
  const network = networkKind(view);
  return [
    ...identityChanges(view, machine),
    ...accessChanges(view, firstBoot),
    ...(placeChanges(view, firstBoot) ?? []),
    ...(network === undefined ? [] : networkChanges(view, network, machine, firstBoot.network)),
    ...cloudInitChanges(view, { machine, epoch, firstBoot }),
    ...(firstBoot.takeover ? takeoverChanges(view, firstBoot.takeover, machine) : []),
    ...(firstBootUrl === undefined ? [] : firstBootChanges(firstBootUrl)),
  ];
}

/** What follows from the disks that it was laid out on; a disk image brings its own. Pure. */
export function diskChanges(
  view: SystemView,
  { profile }: Pick<InstallTerms, 'profile'>,
  plan: DiskPlan,
  arrays: readonly string[],
): readonly Change[] {
  return [
    file('/etc/fstab', fstabText(plan)),
    ...volumeChanges(view, plan, arrays),
    ...liveRemainsChanges(view),
    ...grubDefaults(view, systemArguments(view, plan, profile.kernelArguments)),
  ];
}
