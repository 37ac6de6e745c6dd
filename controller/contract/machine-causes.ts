import { z } from 'zod';
import { BOOT_CAUSES, type BootCause } from './boot-causes.ts';

/** Why a machine failed, where no edge told: what it means for a person, and what to do. */
const LIFE_CAUSES = {
  deadline_passed_inspecting: {
    meaning: 'The machine was to be inspected, and no inspection came of it in time.',
    remedy:
      "Look at its console and 'bootswarm trace MACHINE', then inspect it again: 'bootswarm machine boot MACHINE inspect'.",
  },
  deadline_passed_installing: {
    meaning: 'The machine was being installed, and nothing more was heard of it in time.',
    remedy:
      "Look at its console. Answers of an installer must report that it is done; then set the intent again: 'bootswarm machine boot'.",
  },
  deadline_passed_installed: {
    meaning: 'The machine was installed, and neither the new system nor its edge was heard of again.',
    remedy: "Look at its console and at its edge: 'bootswarm edge show NAME'.",
  },
  deadline_passed_wiping: {
    meaning: 'The disks of the machine were to be wiped, and that did not end in time.',
    remedy:
      'Boot it from the network: the wipe is still armed, and the machine is available once it is verified.',
  },
  work_called_off: {
    meaning: 'The machine was given another intent while its disks were being written to.',
    remedy:
      "What its disks hold is unknown: install or wipe it again ('bootswarm machine boot', 'bootswarm machine release').",
  },
  install_not_armed: {
    meaning: 'The segment installs machines that nobody knew, and this one could not be.',
    remedy:
      "'bootswarm machine history MACHINE' tells why. Correct the profile or the machine, then set the intent: 'bootswarm machine boot MACHINE install PROFILE'.",
  },
  set_by_operator: {
    meaning: 'An operator said that it failed.',
    remedy: "'bootswarm machine history MACHINE' tells the reason.",
  },
  set_by_rollout: {
    meaning: 'A rollout gave it up.',
    remedy: "'bootswarm machine history MACHINE' tells the reason.",
  },
} as const;

type LifeCause = keyof typeof LIFE_CAUSES;

/** Every failure of a machine has one: that of a boot or of work on disks as its edge told, or one of ours. */
export const FailureCause = z.enum([
  ...(Object.keys(BOOT_CAUSES) as [BootCause, ...BootCause[]]),
  ...(Object.keys(LIFE_CAUSES) as [LifeCause, ...LifeCause[]]),
]);
export type FailureCause = z.infer<typeof FailureCause>;

/** What a failure means for a person, and what to do. */
export function failureStory(cause: FailureCause): { readonly meaning: string; readonly remedy: string } {
  return { ...BOOT_CAUSES, ...LIFE_CAUSES }[cause];
}
