/** The pure part of rollouts: who comes in which wave, and what is to be done now. */
export { afterErrand, type ErrandEnd } from './errands.ts';
export { turned, withWave } from './gates.ts';
export { moved } from './move.ts';
export { type Candidate, type PlannedWave, secondsOf, wavesOf } from './plan.ts';
export { isUndoable } from './steps.ts';
export { tick } from './tick.ts';
export {
  type Action,
  type Errand,
  type ErrandKind,
  intentOfRollout,
  isInFlight,
  type Move,
  type RolloutView,
  releaseOfIntent,
  type Seen,
  type SiteView,
} from './view.ts';
