import { z } from 'zod';
import { AssignedInstall } from './assigned-install.ts';
import { BootCause } from './boot-causes.ts';
import { MachineVariables } from './installer-profile.ts';
import { Intent } from './intent.ts';
import { EdgeRecord } from './journal.ts';
import { MachineLife } from './machine-state.ts';
import { MachineTraits } from './machine-traits.ts';
import { Instant, Ipv4, Mac, Name, Uuid } from './names.ts';
import { MachinePower } from './power.ts';
import { WorkStanding } from './work-standing.ts';

/** A server that boots here. */
export const Machine = z.strictObject({
  /** Ours, made when the machine is first heard of. */
  id: z.string(),
  macs: z.array(Mac).min(1),
  uuid: Uuid.optional(),
  /** Its own; where there is none, its segment's default intent holds. */
  intent: Intent.optional(),
  /** Counts up with every intent that is set, so that what writes to a disk is done once for each. */
  epoch: z.int().positive().optional(),
  /** How the last single-use intent ended. */
  spent: z
    .strictObject({
      epoch: z.int().positive(),
      at: Instant,
      edge: Name,
      /** Left out where it went as it should. */
      cause: BootCause.optional(),
      detail: z.string().max(500),
    })
    .optional(),
  /** How the agent's last work on its disks stands. */
  work: WorkStanding.optional(),
  /** What answer files of installers say of this machine alone. */
  variables: MachineVariables.optional(),
  ...AssignedInstall.shape,
  ...MachineTraits.shape,
  ...MachineLife.shape,
  ...MachinePower.shape,
  segment: Name.optional(),
  address: Ipv4.optional(),
  firstSeenAt: Instant.optional(),
  lastSeenAt: Instant.optional(),
});
export type Machine = z.infer<typeof Machine>;

/** A machine and what its edges last said of it, newest first. */
export const MachineStory = Machine.extend({ journal: z.array(EdgeRecord) });
export type MachineStory = z.infer<typeof MachineStory>;

/** Records of one machine in the order in which they arrived. */
export const MachineJournal = z.strictObject({
  /** Left out where no machine of that MAC or UUID is known: no edge has heard it, and nobody registered it. */
  machine: Machine.optional(),
  records: z.array(EdgeRecord),
  /** For the next call's `after`. */
  cursor: z.int().min(0),
  /** The controller's clock, against which the ages of the records are to be reckoned. */
  now: Instant,
});
export type MachineJournal = z.infer<typeof MachineJournal>;

/** How a machine shows itself on the wire. */
export interface Sighting {
  readonly mac: string;
  readonly uuid?: string | undefined;
}

/** Boards whose vendor left the UUID unset answer with one of these; it tells nobody apart. */
const UNSET_UUIDS = new Set([
  '00000000-0000-0000-0000-000000000000',
  'ffffffff-ffff-ffff-ffff-ffffffffffff',
  '03000200-0400-0500-0006-000700080009',
]);

export function tellingUuid(uuid: string | undefined): string | undefined {
  return uuid === undefined || UNSET_UUIDS.has(uuid) ? undefined : uuid;
}

/**
 * The machine that a sighting belongs to. The UUID decides where both sides have one, because a dock's MAC
 * moves between machines (boot-protocols.md, quirk 29); the MAC decides otherwise.
 */
export function matchMachine<Known extends Pick<Machine, 'macs' | 'uuid'>>(
  machines: Iterable<Known>,
  sighting: Sighting,
): Known | undefined {
  const uuid = tellingUuid(sighting.uuid);
  let byMac: Known | undefined;
  for (const machine of machines) {
    if (uuid !== undefined && machine.uuid === uuid) return machine;
    if (!machine.macs.includes(sighting.mac)) continue;
    if (uuid === undefined || machine.uuid === undefined) byMac ??= machine;
  }
  return byMac;
}
