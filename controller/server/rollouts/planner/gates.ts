import {
  isWithin,
  type Rollout,
  type RolloutMachine,
  type RolloutState,
  type RolloutWave,
  type WaveState,
} from '@bootswarm/controller/contract';
import { isUndoable } from './steps.ts';
import { isInFlight } from './view.ts';

/** The steps of machines of one wave, as they will be after what was decided in this tick. */
export interface WaveCount {
  failed: number;
  /** Done, failed or put back: nothing more will become of them. */
  ended: number;
}

/** Machines of a wave that may fail. A share is rounded down: 5 % of ten machines is none. */
function failuresMost({ failuresMost: text }: Rollout['order']['gates'], waveSize: number): number {
  return text.endsWith('%') ? Math.floor((waveSize * Number(text.slice(0, -1))) / 100) : Number(text);
}

/**
 * The rollout after its next turn, or undefined where nothing of it changes now. One turn at a time: the next tick
 * takes the next. Pure.
 * @param machines as they will be after what was decided in this tick.
 */
export function turnOf(
  rollout: Rollout,
  count: WaveCount,
  machines: readonly RolloutMachine[],
  now: Date,
): Rollout | undefined {
  switch (rollout.state) {
    case 'running':
      return failing(rollout, count, now) ?? advancing(rollout, count, now);
    case 'paused':
      return failing(rollout, count, now);
    case 'stopping':
      return machines.some(isInFlight) ? undefined : turned(rollout, 'stopped', now);
    case 'rolling_back':
      return machines.some((each) => isInFlight(each) || isUndoable(each))
        ? undefined
        : turned(rollout, 'rolled_back', now);
    default:
      return undefined;
  }
}

function failing(rollout: Rollout, { failed }: WaveCount, now: Date): Rollout | undefined {
  const wave = rollout.waves[rollout.wave];
  if (!wave || (wave.state !== 'running' && wave.state !== 'soaking')) return undefined;
  const most = failuresMost(rollout.order.gates, wave.size);
  if (failed <= most) return undefined;
  const next = rollout.order.onFailure === 'rollback' ? 'rolling_back' : 'stopping';
  const allowed = most === 0 ? 'none may' : `at most ${most} may`;
  return {
    ...turned(withWave(rollout, 'failed', now), next, now),
    cause: 'error_budget',
    detail: `${failed} of ${wave.size} machines of wave ${wave.name} failed, and ${allowed}`,
  };
}

function advancing(rollout: Rollout, { ended }: WaveCount, now: Date): Rollout | undefined {
  const { order, wave: at, waves } = rollout;
  const wave = waves[at];
  switch (wave?.state) {
    case 'pending':
      return withWave(rollout, needsApproval(order, at) ? 'awaiting' : 'running', now);
    case 'running':
      if (ended < wave.size) return undefined;
      return withWave(rollout, order.gates.soakMinutes > 0 ? 'soaking' : 'done', now);
    case 'soaking': {
      const soakedMs = now.getTime() - Date.parse(wave.since);
      return soakedMs < order.gates.soakMinutes * 60_000 ? undefined : withWave(rollout, 'done', now);
    }
    case 'done':
      return at + 1 < waves.length
        ? { ...rollout, wave: at + 1, revision: rollout.revision + 1 }
        : turned(rollout, 'done', now);
    default:
      return undefined;
  }
}

function needsApproval({ gates: { approval } }: Rollout['order'], wave: number): boolean {
  return approval === 'always' || (approval === 'after-first' && wave > 0);
}

/** A rollout in another state. */
export function turned(rollout: Rollout, state: RolloutState, now: Date): Rollout {
  return { ...rollout, state, since: now.toISOString(), revision: rollout.revision + 1 };
}

/** A rollout whose present wave is in another state. */
export function withWave(rollout: Rollout, state: WaveState, now: Date): Rollout {
  const waves = rollout.waves.map(
    (each, at): RolloutWave => (at === rollout.wave ? { ...each, state, since: now.toISOString() } : each),
  );
  return { ...rollout, waves, revision: rollout.revision + 1 };
}

/** Whether machines may be taken on now. */
export function isTakingOn({ state, order, wave, waves }: Rollout, now: Date): boolean {
  return (
    state === 'running' &&
    waves[wave]?.state === 'running' &&
    (order.window === undefined || isWithin(order.window, now))
  );
}
