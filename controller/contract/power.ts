import { z } from 'zod';
import { Bmc } from './bmc.ts';
import { Instant, Name } from './names.ts';
import { PowerAction } from './power-action.ts';

export const PowerState = z.enum(['waiting', 'running', 'booting', 'done', 'failed']);
export type PowerState = z.infer<typeof PowerState>;

/** Which state may follow which. `booting` is done as far as the BMC goes: an edge is to see the machine boot. */
export const POWER_TRANSITIONS: Readonly<Record<PowerState, readonly PowerState[]>> = {
  waiting: ['running', 'failed'],
  running: ['running', 'booting', 'done', 'failed'],
  booting: ['done', 'failed', 'waiting'],
  done: ['waiting'],
  failed: ['waiting'],
};

/** What a BMC says; `unknown` where it cannot tell (wake-on-LAN). */
export const PowerSeen = z.enum(['on', 'off', 'unknown']);
export type PowerSeen = z.infer<typeof PowerSeen>;

/** An image that a BMC is to show its machine as a CD. The BMC fetches it, not the controller. */
const MediaUrl = z
  .string()
  .max(2000)
  .refine((text) => {
    const url = URL.parse(text);
    return url !== null && ['http:', 'https:'].includes(url.protocol) && url.username === '';
  }, 'must be an http or https URL without a user');

export const PowerOrder = z
  .strictObject({ action: PowerAction, image: MediaUrl.optional() })
  .refine(({ action, image }) => (action === 'insert') === (image !== undefined), {
    path: ['image'],
    message: 'must be given for insert, and for nothing else',
  });
export type PowerOrder = z.infer<typeof PowerOrder>;

/** How the last action on a machine's power stands. It is kept before its commands are given. */
export const PowerStanding = z.strictObject({
  /** Counts up with each action of the machine. */
  number: z.int().positive(),
  action: PowerAction,
  image: z.string().optional(),
  state: PowerState,
  /** Counts up with each change of this, also from one action to the next. */
  changes: z.int().positive(),
  /** That is under way: an index in the steps of its action. */
  step: z.int().min(0),
  askedAt: Instant,
  changedAt: Instant,
  /** It is given up then, or the machine was seen to boot by then. */
  deadlineAt: Instant,
  /** What the BMC said last. */
  seen: PowerSeen.optional(),
  /** `booting`: how many records there were of the machine when it was turned on. */
  recordsBefore: z.int().min(0).optional(),
  /** `booting`: soon after this it was turned on, by the controller's clock. */
  turnedOnAt: Instant.optional(),
  /** `failed`: a problem of the catalogue. */
  cause: z.strictObject({ code: z.string(), message: z.string(), remedy: z.string() }).optional(),
});
export type PowerStanding = z.infer<typeof PowerStanding>;

export function isPowerBusy(standing: PowerStanding | undefined): boolean {
  return standing?.state === 'waiting' || standing?.state === 'running';
}

/** What a machine knows of its power; a part of `Machine`. */
export const MachinePower = z.object({
  bmc: Bmc.optional(),
  power: PowerStanding.optional(),
});

/** A secret as it may be shown. */
export const SecretInfo = z.strictObject({
  name: Name,
  setAt: Instant,
  /** Ids of the machines whose BMC it is for. */
  usedBy: z.array(z.string()),
});
export type SecretInfo = z.infer<typeof SecretInfo>;
