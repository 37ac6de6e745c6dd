import { z } from 'zod';

/** Who may move a rollout: an operator's command, or the planner by what it sees. */
type Mover = 'operator' | 'planner';

/**
 * The states of a rollout, and where each may go. `isOver`: nothing is in flight, and its machines are free for
 * another rollout.
 */
export const ROLLOUT_STATES = {
  running: {
    text: 'machines are taken on, wave by wave',
    isOver: false,
    to: {
      paused: ['operator'],
      stopping: ['operator', 'planner'],
      rolling_back: ['operator', 'planner'],
      done: ['planner'],
    },
  },
  paused: {
    text: 'no machine is taken on; those that are in flight go on',
    isOver: false,
    to: {
      running: ['operator'],
      stopping: ['operator', 'planner'],
      rolling_back: ['operator', 'planner'],
    },
  },
  stopping: {
    text: 'no machine is taken on any more; those that are in flight come to their end',
    isOver: false,
    to: { stopped: ['planner'], rolling_back: ['operator'] },
  },
  stopped: { text: 'it ended before its last wave', isOver: true, to: { rolling_back: ['operator'] } },
  rolling_back: {
    text: 'every machine that was touched goes back to what it was before',
    isOver: false,
    to: { stopping: ['operator'], rolled_back: ['planner'] },
  },
  rolled_back: { text: 'what was touched went back', isOver: true, to: {} },
  done: { text: 'all waves are through', isOver: true, to: { rolling_back: ['operator'] } },
} as const satisfies Readonly<
  Record<string, { text: string; isOver: boolean; to: Readonly<Record<string, readonly Mover[]>> }>
>;

export const RolloutState = z.enum(Object.keys(ROLLOUT_STATES) as [keyof typeof ROLLOUT_STATES]);
export type RolloutState = z.infer<typeof RolloutState>;

/** Where `by` may move a rollout that is in `from`. Pure. */
export function rolloutMoves(from: RolloutState, by: Mover): readonly RolloutState[] {
  const moves = Object.entries(ROLLOUT_STATES[from].to) as [RolloutState, readonly Mover[]][];
  return moves.filter(([, movers]) => movers.includes(by)).map(([to]) => to);
}

/** The states of a wave, and where each may go. */
export const WAVE_STATES = {
  pending: ['awaiting', 'running'],
  /** For an operator's approval. */
  awaiting: ['running'],
  running: ['soaking', 'done', 'failed'],
  /** Every machine of it is through, and none may fall out for a while. */
  soaking: ['done', 'failed'],
  done: [],
  failed: [],
} as const satisfies Readonly<Record<string, readonly string[]>>;

export const WaveState = z.enum(Object.keys(WAVE_STATES) as [keyof typeof WAVE_STATES]);
export type WaveState = z.infer<typeof WaveState>;

/**
 * The steps of one machine in a rollout, and where each may go. `inFlight`: the machine is out of service because of
 * the rollout, and counts against its limits.
 */
export const ROLLOUT_STEPS = {
  waiting: { text: 'its turn has not come', inFlight: false, to: ['draining', 'armed', 'failed'] },
  draining: {
    text: 'the hook before it is called',
    inFlight: true,
    to: ['drained', 'failed'],
  },
  drained: {
    text: 'the hook before it agreed',
    inFlight: true,
    to: ['armed', 'failed', 'returning', 'skipped'],
  },
  armed: {
    text: 'its intent is set',
    inFlight: true,
    to: ['powering', 'booting', 'undone', 'undo_returning', 'failed'],
  },
  /** Committed before the action is ordered, and ordered once for each commit. */
  powering: { text: 'it is being power cycled', inFlight: true, to: ['booting', 'failed'] },
  booting: {
    text: 'its first boot is awaited',
    inFlight: true,
    to: [
      'powering',
      'checking',
      'returning',
      'done',
      'failed',
      'undo_armed',
      'undo_failed',
      'undone',
      'undo_returning',
    ],
  },
  checking: {
    text: 'its health is asked for',
    inFlight: true,
    to: ['returning', 'done', 'failed', 'undo_armed', 'undo_failed'],
  },
  returning: { text: 'the hook after it is called', inFlight: true, to: ['done', 'skipped', 'failed'] },
  done: { text: 'it has the release', inFlight: false, to: ['failed', 'undo_armed', 'undo_failed'] },
  failed: { text: 'it went wrong', inFlight: false, to: ['undo_armed', 'undo_failed'] },
  skipped: { text: 'it was put back untouched', inFlight: false, to: [] },
  undo_armed: {
    text: 'its intent from before is set',
    inFlight: true,
    to: ['undo_powering', 'undo_booting', 'undo_failed'],
  },
  undo_powering: {
    text: 'it is being power cycled, to go back',
    inFlight: true,
    to: ['undo_booting', 'undo_failed'],
  },
  undo_booting: {
    text: 'its boot into what was before is awaited',
    inFlight: true,
    to: ['undo_powering', 'undo_returning', 'undone', 'undo_failed'],
  },
  undo_returning: {
    text: 'the hook after it is called, as it went back',
    inFlight: true,
    to: ['undone', 'undo_failed'],
  },
  undone: { text: 'it went back', inFlight: false, to: [] },
  undo_failed: { text: 'it could not go back', inFlight: false, to: [] },
} as const satisfies Readonly<Record<string, { text: string; inFlight: boolean; to: readonly string[] }>>;

export const RolloutStep = z.enum(Object.keys(ROLLOUT_STEPS) as [keyof typeof ROLLOUT_STEPS]);
export type RolloutStep = z.infer<typeof RolloutStep>;

/** Why a machine or a rollout did not go on: what it means for a person, and what to do. */
export const ROLLOUT_CAUSES = {
  hook_failed: {
    meaning: 'A hook did not answer with a 2xx within its deadline, or nothing may be sent to its address.',
    remedy: 'Look at what the detail says it answered; correct the receiver, and start another rollout.',
  },
  edge_not_ready: {
    meaning:
      'No edge of its segment had all of the release within the time that the rollout waits for edges.',
    remedy: "'bootswarm edge show NAME' says what the edge lacks and why.",
  },
  not_armable: {
    meaning: 'The intent could not be set.',
    remedy: 'The detail says why: correct the machine or the profile, and start another rollout.',
  },
  power_failed: {
    meaning: 'The power action was refused or not answered.',
    remedy: 'Look at the BMC that the detail names.',
  },
  no_sign: {
    meaning: 'No edge saw the machine begin, though it was power cycled twice.',
    remedy: "Follow its boot: 'bootswarm trace MACHINE'.",
  },
  first_boot_late: {
    meaning: 'It began, and did not come up within the time that the rollout gives it.',
    remedy: "Follow its boot: 'bootswarm trace MACHINE'.",
  },
  work_failed: {
    meaning: 'Its agent or its edge said that the boot or the installation failed.',
    remedy: 'The detail holds the cause that they named.',
  },
  unhealthy: {
    meaning: 'It came up, and its health check did not pass in time, or nothing may be sent to its URL.',
    remedy: 'The detail holds the last answer of the check.',
  },
  superseded: {
    meaning: 'Somebody set another intent while the rollout was at work on it. The rollout leaves it alone.',
    remedy: "Nothing, if that was meant: 'bootswarm machine show MACHINE'.",
  },
  machine_gone: {
    meaning: 'The machine was removed meanwhile.',
    remedy: 'Nothing, if that was meant.',
  },
  rollout_stopped: {
    meaning: 'The rollout was stopped before the machine was touched.',
    remedy: 'Nothing: it is as it was.',
  },
  nothing_before: {
    meaning: 'What the machine ran before is not known, so there is nothing to go back to.',
    remedy: 'Start a rollout of the release that it is to have; next time name it as rollbackTo.',
  },
  error_budget: {
    meaning: 'More machines of a wave failed than the rollout allows.',
    remedy: "'bootswarm rollout show NAME' lists them with their causes.",
  },
  operator: { meaning: 'An operator decided so.', remedy: 'Nothing.' },
} as const;

export const RolloutCause = z.enum(Object.keys(ROLLOUT_CAUSES) as [keyof typeof ROLLOUT_CAUSES]);
export type RolloutCause = z.infer<typeof RolloutCause>;
