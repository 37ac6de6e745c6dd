import { z } from 'zod';
import { problem } from './errors.ts';
import type { Machine } from './machine.ts';
import { FailureCause } from './machine-causes.ts';
import { lifeOf } from './machine-life.ts';
import { Instant } from './names.ts';

/** Where a machine stands in its life. */
export const MachineState = z.enum([
  /** Registered, and never heard. */
  'unknown',
  /** Heard, and nothing more is known of it. */
  'discovered',
  'inspecting',
  /** Inspected or wiped, and free. */
  'available',
  /** Set aside: by a rollout, or because an installation of it is armed. */
  'reserved',
  'installing',
  /** The new system has not said yet that it is up. */
  'installed',
  'active',
  /** Somebody works on it: nothing but an operator moves it. */
  'maintenance',
  /** Its disks are to be wiped, or are being. */
  'wiping',
  'failed',
]);
export type MachineState = z.infer<typeof MachineState>;

/**
 * Who moves a machine: what an edge told, a person, a rollout, time that ran out, or what its segment says of machines
 * that nobody knew.
 */
export const Mover = z.enum(['journal', 'operator', 'rollout', 'deadline', 'policy']);
export type Mover = z.infer<typeof Mover>;

type Ways = Readonly<Partial<Record<MachineState, readonly Mover[]>>>;

/** Every transition that there is: from, to, and who may. */
export const TRANSITIONS: Readonly<Record<MachineState, Ways>> = {
  unknown: {
    discovered: ['journal', 'operator'],
    inspecting: ['journal'],
    available: ['journal', 'operator'],
    reserved: ['operator', 'rollout'],
    active: ['operator'],
    maintenance: ['operator'],
    wiping: ['operator'],
    failed: ['operator'],
  },
  discovered: {
    inspecting: ['journal'],
    available: ['journal', 'operator'],
    reserved: ['operator', 'rollout'],
    active: ['operator'],
    maintenance: ['operator'],
    wiping: ['operator'],
    failed: ['operator'],
  },
  inspecting: {
    discovered: ['operator'],
    available: ['journal', 'operator'],
    reserved: ['operator', 'rollout'],
    active: ['operator'],
    maintenance: ['operator'],
    wiping: ['operator'],
    failed: ['deadline', 'operator'],
  },
  available: {
    discovered: ['operator'],
    reserved: ['operator', 'rollout', 'policy'],
    active: ['operator'],
    maintenance: ['operator'],
    wiping: ['operator'],
    failed: ['operator', 'policy'],
  },
  // Where a reservation is given up, the machine is again what it was before.
  reserved: {
    unknown: ['operator', 'rollout'],
    discovered: ['operator', 'rollout'],
    available: ['operator', 'rollout'],
    installing: ['journal'],
    installed: ['journal', 'operator', 'rollout'],
    active: ['journal', 'operator', 'rollout'],
    maintenance: ['operator'],
    wiping: ['operator'],
    failed: ['journal', 'operator', 'rollout'],
  },
  installing: {
    discovered: ['operator'],
    available: ['operator'],
    reserved: ['operator', 'rollout'],
    installed: ['journal'],
    active: ['journal', 'operator'],
    maintenance: ['operator'],
    wiping: ['operator'],
    failed: ['journal', 'deadline', 'operator', 'rollout'],
  },
  installed: {
    discovered: ['operator'],
    available: ['operator'],
    reserved: ['operator', 'rollout'],
    active: ['journal', 'operator'],
    maintenance: ['operator'],
    wiping: ['operator'],
    failed: ['journal', 'deadline', 'operator', 'rollout'],
  },
  active: {
    discovered: ['operator'],
    available: ['operator'],
    reserved: ['operator', 'rollout'],
    maintenance: ['operator'],
    wiping: ['operator'],
    failed: ['operator', 'rollout'],
  },
  // It comes back as whatever it holds by then.
  maintenance: {
    unknown: ['operator'],
    discovered: ['operator'],
    available: ['operator'],
    reserved: ['operator'],
    installing: ['operator'],
    installed: ['operator'],
    active: ['operator'],
    wiping: ['operator'],
    failed: ['operator'],
  },
  // `available` by the journal alone where all disks were proved to be wiped.
  wiping: {
    unknown: ['operator'],
    discovered: ['journal', 'operator'],
    available: ['journal', 'operator'],
    reserved: ['operator'],
    installed: ['operator'],
    active: ['operator'],
    maintenance: ['operator'],
    failed: ['journal', 'deadline', 'operator'],
  },
  // An edge that was cut off tells later than the deadline how the same epoch went on.
  failed: {
    discovered: ['journal', 'operator'],
    available: ['journal', 'operator'],
    reserved: ['operator', 'rollout'],
    installing: ['journal'],
    installed: ['journal'],
    active: ['journal', 'operator'],
    maintenance: ['operator'],
    wiping: ['journal', 'operator'],
  },
};

/**
 * How long a machine may be in a state without a sign of getting on, in seconds; undefined where it may last. The
 * patience is that of `boot-progress.ts`: a step of an installation takes a slow disk an hour, and overwriting a large
 * one a day; the edge itself says when the first boot is too late, and 48 h are for an edge that does not live to.
 */
export const DEADLINE_SECONDS: Readonly<Record<MachineState, number | undefined>> = {
  unknown: undefined,
  discovered: undefined,
  inspecting: 30 * 60,
  available: undefined,
  reserved: undefined,
  installing: 6 * 3600,
  installed: 48 * 3600,
  active: undefined,
  maintenance: undefined,
  wiping: 48 * 3600,
  failed: undefined,
};

/** Of a machine. All is left out of one that an older controller stored: `lifeOf` tells its state then. */
export const MachineLife = z.strictObject({
  state: MachineState.optional(),
  /** By the controller's clock, as `deadlineAt`. */
  stateSince: Instant.optional(),
  /** When it fails unless something is heard of it before. */
  deadlineAt: Instant.optional(),
  /** Of `failed`, which always has one. */
  cause: FailureCause.optional(),
  /** Of the work on disks that moves it: what edges tell of another epoch is late and moves nothing. */
  workEpoch: z.int().positive().optional(),
  inspectedAt: Instant.optional(),
  /** What it was when it was set aside, armed or taken into maintenance, as long as nothing came of that. */
  before: z.strictObject({ state: MachineState, cause: FailureCause.optional() }).optional(),
  /** Nobody knew it, and its segment has it inspected, and then installed where it says so. */
  isNewcomer: z.literal(true).optional(),
  /** When its segment has it installed. */
  installAt: Instant.optional(),
});
export type MachineLife = z.infer<typeof MachineLife>;

/** One step of a machine's life. */
export const MachineMove = z.strictObject({
  at: Instant,
  from: MachineState,
  to: MachineState,
  by: Mover,
  reason: z.string().max(600),
  cause: FailureCause.optional(),
});
export type MachineMove = z.infer<typeof MachineMove>;

/** Of each machine; the older ones go. */
export const MOVES_MOST = 100;

/** A move that somebody wants. */
export interface Motion {
  readonly at: Date;
  readonly by: Mover;
  readonly reason: string;
  /** Of a failure that an edge told. */
  readonly cause?: FailureCause | undefined;
}

/** To which states a machine may be moved. */
export function allowedFrom(from: MachineState, by: Mover): readonly MachineState[] {
  return MachineState.options.filter((to) => TRANSITIONS[from][to]?.includes(by));
}

/** The machine after a move. Pure. @throws Problem machine_state_not_allowed */
export function moved<Known extends Machine>(machine: Known, to: MachineState, motion: Motion): Known {
  const { state: from } = lifeOf(machine);
  const { at, by } = motion;
  const allowed = allowedFrom(from, by);
  if (!allowed.includes(to))
    throw problem('machine_state_not_allowed', {
      field: 'to',
      facts: { machine: machine.id, from, to, by, allowed: allowed.join(', ') || 'nothing' },
    });
  const { cause: _, deadlineAt: __, ...rest } = machine;
  const cause = to === 'failed' ? { cause: motion.cause ?? ownCause(from, by) } : {};
  return {
    ...rest,
    state: to,
    stateSince: at.toISOString(),
    ...deadlineFrom(machine, to, at),
    ...cause,
  } as Known;
}

/** A move as the history keeps it. */
export function moveOf(before: Machine, after: Machine, { at, by, reason }: Motion): MachineMove {
  return {
    at: at.toISOString(),
    from: lifeOf(before).state,
    to: lifeOf(after).state,
    by,
    reason: reason.slice(0, 600),
    ...(after.cause === undefined ? {} : { cause: after.cause }),
  };
}

/** The same machine, of which something was heard that shows that it gets on: its deadline begins anew. */
export function stillAtIt<Known extends Machine>(machine: Known, at: Date): Known {
  const { state } = lifeOf(machine);
  return { ...machine, ...deadlineFrom(machine, state, at) };
}

function deadlineFrom({ intent }: Machine, state: MachineState, at: Date): Pick<MachineLife, 'deadlineAt'> {
  const seconds = DEADLINE_SECONDS[state];
  // A distribution's installer does not have the new system say that it is up.
  const mayLast = seconds === undefined || (state === 'installed' && intent?.kind === 'installer');
  return mayLast ? {} : { deadlineAt: new Date(at.getTime() + seconds * 1000).toISOString() };
}

function ownCause(from: MachineState, by: Mover): FailureCause {
  switch (by) {
    case 'deadline':
      return FailureCause.parse(`deadline_passed_${from}`);
    case 'operator':
      return 'set_by_operator';
    case 'rollout':
      return 'set_by_rollout';
    case 'policy':
      return 'install_not_armed';
    case 'journal':
      throw new TypeError('what an edge tells of a failure has a cause');
  }
}
