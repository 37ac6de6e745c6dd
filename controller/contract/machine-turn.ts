import type { EdgeRecord } from './journal.ts';
import type { Machine } from './machine.ts';
import type { FailureCause } from './machine-causes.ts';
import { afterWipe, lifeOf } from './machine-life.ts';
import { allowedFrom, type MachineState } from './machine-state.ts';
import { standingAfter } from './work-standing.ts';

/** What becomes of a machine. */
export interface Turn {
  /** The state that it is in already: it gets on, so that its deadline begins anew. */
  readonly to: MachineState;
  readonly cause?: FailureCause | undefined;
}

/**
 * What a record makes of a machine as it was before; undefined where nothing changes. Records of another epoch than
 * that of its work, of work that is over, or that the table of transitions has no place for move nothing: so none that
 * comes late undoes what came after it. Pure.
 */
export function moveAfter(machine: Machine, record: EdgeRecord): Turn | undefined {
  const { state } = lifeOf(machine);
  const turn = imageTurn(machine, record) ?? installerTurn(machine, record) ?? earlyTurn(machine, record);
  if (turn === undefined) return undefined;
  return turn.to === state || allowedFrom(state, 'journal').includes(turn.to) ? turn : undefined;
}

/** Whether firmware spoke, or something was fetched that only a boot fetches. */
export function isOfBoot({ stage, netboot }: Pick<EdgeRecord, 'stage' | 'netboot'>): boolean {
  if (stage === 'alarm') return false;
  return netboot === true || !['discover', 'offer', 'lease'].includes(stage);
}

/** Of work that the agent does. */
function imageTurn(machine: Machine, record: EdgeRecord): Turn | undefined {
  const work = standingAfter(machine.work, record);
  if (work === undefined || work === machine.work || work.epoch !== workEpochOf(machine)) return undefined;
  const { kind, state, isOver, cause } = work;
  if (state === 'active') return { to: 'active' };
  if (state === 'failed' && isOver) return { to: 'failed', cause };
  if (state !== 'done') return { to: kind === 'install' ? 'installing' : 'wiping' };
  if (kind === 'install') return { to: 'installed' };
  return { to: machine.intent === undefined ? 'discovered' : afterWipe(machine.intent) };
}

/** Of a distribution's own installer: its disk may be written to once it has its answers. */
function installerTurn(machine: Machine, { stage, cause, next, spentEpoch }: EdgeRecord): Turn | undefined {
  if (machine.intent?.kind !== 'installer' || spentEpoch === undefined) return undefined;
  if (spentEpoch !== workEpochOf(machine)) return undefined;
  if (cause !== undefined) return { to: 'failed', cause };
  if (stage === 'answers') return { to: 'installing' };
  if (stage === 'installed') return { to: 'installed' };
  const bootsDisk = stage === 'script' && next === 'nothing';
  return bootsDisk && lifeOf(machine).state === 'installed' ? { to: 'active' } : undefined;
}

/** Before there is any work: each state once, so that repeating it changes nothing. */
function earlyTurn(machine: Machine, record: EdgeRecord): Turn | undefined {
  const { state } = lifeOf(machine);
  if (!isOfBoot(record)) return undefined;
  const { stage, next, cause } = record;
  const isOfAgent = cause === undefined && (stage === 'agent' || (stage === 'script' && next === 'agent'));
  if (machine.intent?.kind === 'inspect' && isOfAgent && state !== 'inspecting') return { to: 'inspecting' };
  return state === 'unknown' ? { to: 'discovered' } : undefined;
}

/** Of a machine that an older controller armed, the epoch of its intent is that of its work. */
function workEpochOf({ state, workEpoch, epoch }: Machine): number | undefined {
  return state === undefined ? epoch : workEpoch;
}
