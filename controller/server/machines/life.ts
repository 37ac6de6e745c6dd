import {
  assignmentOf,
  type FailureCause,
  holding,
  type Intent,
  isArmed,
  isSingleUse,
  type Machine,
  type MachineState,
  type Motion,
  moved,
  moveOf,
  problem,
  stillAtIt,
  withLife,
} from '@bootswarm/controller/contract';
import type { MachineDraft } from './machine-draft.ts';
import { machineMoves } from './record-ring.ts';

type Held = NonNullable<Machine['before']>;

/** Moves a machine and tells its history. It is the caller's to keep it. @throws Problem machine_state_not_allowed */
export async function move(
  draft: MachineDraft,
  known: Machine,
  to: MachineState,
  motion: Motion,
): Promise<Machine> {
  const before = withLife(known);
  const after = moved(before, to, motion);
  await machineMoves.append(draft, known.id, moveOf(before, after, motion));
  return after;
}

/**
 * The machine with another intent, and with what that makes of its state: what is armed sets it aside, and what was
 * armed before and never begun leaves no trace. In maintenance it stays there. Newcomers are looked after from here on.
 * @throws Problem machine_state_not_allowed
 */
export async function give(
  draft: MachineDraft,
  known: Machine,
  intent: Intent,
  motion: Motion,
): Promise<Machine> {
  const { isNewcomer: _, installAt: __, notInstalled: ___, assignment: ____, ...rest } = known;
  const { state } = withLife(known);
  const epoch = (known.epoch ?? 0) + 1;
  const held = { ...rest, ...(motion.by === 'rollout' ? carriedOver(known, intent, epoch) : {}) };
  if (isSingleUse(intent)) {
    const to = intent.kind === 'wipe' ? 'wiping' : 'reserved';
    if (state === 'maintenance') return { ...without(held, 'before'), intent, epoch, workEpoch: epoch };
    const set = state === to ? stillAtIt(withLife(held), motion.at) : await move(draft, held, to, motion);
    return { ...remembering(set, withLife(known)), intent, epoch, workEpoch: epoch };
  }
  const given = { ...held, intent, epoch };
  if (isAtWork(withLife(known))) {
    const { state: to, cause } = settled(known, intent);
    const put = to === state ? withLife(held) : await move(draft, held, to, { ...motion, cause });
    return { ...without(put, 'before', 'workEpoch'), intent, epoch };
  }
  // The new system does not come up while something else boots: nobody waits for it any more.
  if (state === 'installed') return without(given, 'deadlineAt');
  if (state === 'failed' && intent.kind === 'inspect')
    return { ...(await move(draft, held, 'discovered', motion)), intent, epoch };
  return given;
}

/**
 * The machine in the state that somebody says. What was armed is called off: it boots its disk, and what edges tell of
 * any work until now moves it no more. @throws Problem machine_state_not_allowed
 */
export async function override(
  draft: MachineDraft,
  known: Machine,
  to: MachineState,
  motion: Motion,
): Promise<Machine> {
  const put = await move(draft, known, to, motion);
  const rest = without(put, 'before', 'workEpoch', 'isNewcomer', 'installAt', 'notInstalled');
  const local = isArmed(known) ? { intent: { kind: 'local' } as const, epoch: (known.epoch ?? 0) + 1 } : {};
  return { ...rest, ...local };
}

/** Into maintenance, which remembers what it was. In it already, it stays. */
export async function intoMaintenance(draft: MachineDraft, known: Machine, motion: Motion): Promise<Machine> {
  const { state } = withLife(known);
  if (state === 'maintenance') return known;
  const before = isAtWork(withLife(known)) ? settled(known, { kind: 'local' }) : heldBy(withLife(known));
  return { ...(await override(draft, known, 'maintenance', motion)), before };
}

/** Out of maintenance, to what it was or what became of it meanwhile. Not in it, it stays as it is. */
export async function outOfMaintenance(
  draft: MachineDraft,
  known: Machine,
  motion: Motion,
): Promise<Machine> {
  if (withLife(known).state !== 'maintenance') return known;
  const { state, cause } = known.before ?? holding(known);
  return without(await move(draft, known, state, { ...motion, cause }), 'before');
}

/**
 * The machine whose disks are all to be wiped, so that it is available again. Of one that is on its way there nothing
 * changes. @throws Problem machine_state_not_allowed, in maintenance.
 */
export async function released(
  draft: MachineDraft,
  known: Machine,
  wipe: Extract<Intent, { kind: 'wipe' }>,
  motion: Motion,
): Promise<Machine> {
  const { state } = withLife(known);
  const { intent } = known;
  const isReleased = state === 'wiping' && intent?.kind === 'wipe' && intent.disks === 'all';
  if (isReleased && isArmed(known)) return known;
  if (state === 'maintenance')
    throw problem('machine_state_not_allowed', {
      field: 'machine',
      facts: {
        machine: known.id,
        from: state,
        to: 'wiping',
        by: motion.by,
        allowed: 'an end of maintenance',
      },
    });
  return give(draft, known, wipe, motion);
}

/** A rollout brings a release: what an assignment said beside that for the same profile still holds. */
function carriedOver(known: Machine, intent: Intent, epoch: number): Pick<Machine, 'assignment'> {
  const given = assignmentOf(known);
  const isSame =
    known.intent !== undefined &&
    'profile' in known.intent &&
    'profile' in intent &&
    known.intent.profile === intent.profile;
  return given && isSame ? { assignment: { ...given, epoch } } : {};
}

/** Whether it is set aside or being written to by what is armed for it. */
function isAtWork({ state, workEpoch }: Machine): boolean {
  return workEpoch !== undefined && (state === 'reserved' || state === 'installing' || state === 'wiping');
}

/** What remains of a machine once its armed work is called off for `intent`. */
function settled(known: Machine, intent: Intent): Held {
  const { state, before, intent: armed } = withLife(known);
  if (before) return before;
  if (state === 'installing' && armed?.kind === 'installer')
    return { state: 'failed', cause: 'work_called_off' satisfies FailureCause };
  return holding({ ...without(known, 'workEpoch'), intent, epoch: (known.epoch ?? 0) + 1 });
}

/** What is armed remembers what its machine was, over several times that it is armed. */
function remembering(set: Machine, { before, ...known }: Machine): Machine {
  const rest = without(set, 'before');
  if (before) return { ...rest, before };
  return known.state === 'installing' || known.state === 'wiping' ? rest : { ...rest, before: heldBy(known) };
}

function heldBy({ state = 'unknown', cause }: Machine): Held {
  // It is not inspected to its end: it may be again.
  if (state === 'inspecting') return { state: 'discovered' };
  return { state, ...(cause === undefined ? {} : { cause }) };
}

function without<Key extends keyof Machine>(machine: Machine, ...keys: readonly Key[]): Machine {
  const rest = { ...machine };
  for (const key of keys) delete (rest as Partial<Machine>)[key];
  return rest;
}
