import { z } from 'zod';
import { LabelValue } from './machine-traits.ts';
import { Instant, Name } from './names.ts';
import { SelectorText } from './selector.ts';

const RESERVED_AT_ONCE_MOST = 1000;
const HOURS_MOST = 24 * 366;

/** Machines that are set aside for somebody. */
export const MachineReservation = z.strictObject({
  name: Name,
  owner: LabelValue.optional(),
  /** As it was asked for. */
  match: SelectorText,
  /** Ids. */
  machines: z.array(z.string()),
  since: Instant,
  /** When it ends by itself; without it, when it is ended. */
  until: Instant.optional(),
});
export type MachineReservation = z.infer<typeof MachineReservation>;

/** So many machines, or none of them. */
export const ReservationRequest = z.strictObject({
  name: Name,
  count: z.int().min(1).max(RESERVED_AT_ONCE_MOST),
  match: SelectorText.default(''),
  owner: LabelValue.optional(),
  hours: z.number().positive().max(HOURS_MOST).optional(),
});
export type ReservationRequest = z.infer<typeof ReservationRequest>;
