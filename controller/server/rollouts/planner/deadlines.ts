import type { Rollout, RolloutStep } from '@bootswarm/controller/contract';

/** Within which a BMC must have answered. */
const POWER_SECONDS = 300;

/** How long a machine may be at a step, in seconds; undefined where only others end it. Pure. */
export function stepSeconds(step: RolloutStep, { gates, hooks }: Rollout['order']): number | undefined {
  switch (step) {
    case 'draining':
      return hooks.before?.withinSeconds;
    case 'returning':
    case 'undo_returning':
      return hooks.after?.withinSeconds;
    case 'powering':
    case 'undo_powering':
      return POWER_SECONDS;
    case 'booting':
    case 'undo_booting':
      return gates.firstBootMinutes * 60;
    case 'checking':
      return gates.health?.withinSeconds;
    default:
      return undefined;
  }
}
