import { type Intent, isSingleUse } from './intent.ts';
import type { Machine } from './machine.ts';
import type { FailureCause } from './machine-causes.ts';
import type { MachineLife, MachineState } from './machine-state.ts';

/** Where a machine stands; of one without a state of its own what it holds tells it. */
export function lifeOf(machine: Machine): MachineLife & { readonly state: MachineState } {
  return machine.state === undefined ? holding(machine) : { ...machine, state: machine.state };
}

/** The same machine with a state of its own, before anything of it changes. */
export function withLife(machine: Machine): Machine {
  const { state, intent, epoch } = machine;
  if (state !== undefined) return machine;
  const armed = intent && isSingleUse(intent) && epoch !== undefined ? { workEpoch: epoch } : {};
  return { ...machine, ...holding(machine), ...armed };
}

/** Whether a work on disks is armed that no edge has used up. */
export function isArmed({ intent, epoch = 0, spent }: Machine): boolean {
  return intent !== undefined && isSingleUse(intent) && epoch > (spent?.epoch ?? 0);
}

/**
 * The state that follows from what a machine holds, whatever it is said to be in: for machines of older controllers,
 * after maintenance, and where an armed work is called off. Pure.
 */
export function holding({
  intent,
  epoch = 0,
  work,
  spent,
  workEpoch = intent && isSingleUse(intent) ? epoch : 0,
  inspectedAt,
  lastSeenAt,
}: Machine): { readonly state: MachineState; readonly cause?: FailureCause } {
  const idle = inspectedAt !== undefined ? 'available' : lastSeenAt === undefined ? 'unknown' : 'discovered';
  const heardEpoch = Math.max(work?.epoch ?? 0, spent?.epoch ?? 0);
  const isOwn = intent !== undefined && isSingleUse(intent) && epoch === workEpoch;
  if (isOwn && epoch > heardEpoch) return { state: intent.kind === 'wipe' ? 'wiping' : 'reserved' };
  if (work && work.epoch === heardEpoch) {
    if (work.state === 'active') return { state: 'active' };
    if (work.state === 'done' && work.kind === 'install') return { state: 'installed' };
    if (work.state === 'done') return { state: isOwn ? afterWipe(intent) : idle };
    if (work.isOver) return { state: 'failed', cause: work.cause ?? 'install_failed' };
    if (!isOwn) return { state: 'failed', cause: 'work_called_off' };
    return { state: work.kind === 'install' ? 'installing' : 'wiping' };
  }
  if (spent) return spent.cause ? { state: 'failed', cause: spent.cause } : { state: 'installed' };
  return { state: idle };
}

/** Of a wipe that was verified. Where disks were left out nobody vouches for what the machine holds. */
export function afterWipe(intent: Intent): 'available' | 'discovered' {
  return intent.kind === 'wipe' && intent.disks === 'all' ? 'available' : 'discovered';
}
