import { defineProblems } from '@bootswarm/images/format';

/** Why a machine does not run a release from memory. */
export const problem = defineProblems({
  live_root_missing: {
    status: 422,
    message: '{release} has no root that can run from memory',
    remedy: "Name a live release: 'bootswarm image list'.",
  },
  live_memory_short: {
    status: 507,
    message: '{release} takes {needed} bytes of memory, and {available} are free',
    remedy:
      "Take a machine with more memory, or install the release: 'bootswarm machine boot MACHINE install'.",
  },
  live_init_missing: {
    status: 422,
    message: '{release} has no /sbin/init',
    remedy: 'It is the root of no system that can boot: build or import it anew.',
  },
});
