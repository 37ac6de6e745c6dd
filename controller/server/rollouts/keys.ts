export const ROLLOUTS_PREFIX = 'rollouts/';

export function rolloutKey(name: string): string {
  return ROLLOUTS_PREFIX + name;
}

export function recordsPrefix(rollout: string): string {
  return `rollout-machines/${rollout}/`;
}

export function recordKey(rollout: string, machine: string): string {
  return recordsPrefix(rollout) + machine;
}

/** The name of the rollout that is at work on a machine: so none is in two. */
export function claimKey(machine: string): string {
  return `rollout-claims/${machine}`;
}

export const CLAIMS_PREFIX = 'rollout-claims/';

export function skippedPrefix(rollout: string): string {
  return `rollout-skipped/${rollout}/`;
}
