import { type DesiredState, type Intent, matchMachine, type Segment } from '@bootswarm/controller/contract';
import type { Lease } from '../decide/lease.ts';
import type { WorkOrder } from '../decide/work-order.ts';

/** What a machine is to do. */
export interface Duty {
  readonly intent: Intent;
  /** Of the intent, where it has one: the same intent, set again, is another. */
  readonly epoch?: number;
  /** Of what writes to disks, or needs a release: what to do about it. */
  readonly work?: WorkOrder;
}

/** The duty of a lease's holder: its own intent, else that of the segment where it is; `local` where it is in none. */
export function dutyOf(
  { mac, uuid }: Pick<Lease, 'mac' | 'uuid'>,
  machines: DesiredState['machines'],
  segment: Segment | undefined,
): Duty {
  const machine = matchMachine(machines, { mac, uuid });
  if (!machine) return { intent: segment?.defaultIntent ?? { kind: 'local' } };
  const { intent, epoch } = machine;
  return epoch === undefined ? { intent } : { intent, epoch };
}
