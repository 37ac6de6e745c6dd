import type { PowerSeen } from '@bootswarm/controller/contract';
import { z } from 'zod';
import { plainText } from './plain-text.ts';
import { type Json, pathOf } from './redfish-wire.ts';

/** Lists of a BMC that are longer say nothing that we need. */
const LIST_MOST = 200;

const Link = z.object({ '@odata.id': z.string().transform(pathOf).pipe(z.string()) });
const Texts = z.array(z.string().max(500)).max(LIST_MOST);
/** What a BMC writes otherwise than the standard says, and we can do without, counts as left out. */
const optional = <T extends z.ZodType>(schema: T) => schema.optional().catch(undefined);

const Action = z.object({
  target: z.string().transform(pathOf).pipe(z.string()),
  'ResetType@Redfish.AllowableValues': optional(Texts),
});

/** DSP0266, 6.5. */
export const ServiceRoot = z.object({ Systems: optional(Link), Managers: optional(Link) });

export const Collection = z.object({ Members: z.array(Link).max(LIST_MOST) });

const Boot = z.object({
  BootSourceOverrideEnabled: optional(z.string()),
  BootSourceOverrideTarget: optional(z.string()),
  UefiTargetBootSourceOverride: optional(z.string()),
  'BootSourceOverrideTarget@Redfish.AllowableValues': optional(Texts),
  'UefiTargetBootSourceOverride@Redfish.AllowableValues': optional(Texts),
});

/** DSP0268, ComputerSystem. */
export const ComputerSystem = z.object({
  PowerState: z.string(),
  '@odata.etag': optional(z.string().max(200)),
  Boot: optional(Boot),
  Actions: optional(z.object({ '#ComputerSystem.Reset': optional(Action) })),
  VirtualMedia: optional(Link),
  Links: optional(z.object({ ManagedBy: optional(z.array(Link).max(LIST_MOST)) })),
});
export type ComputerSystem = z.infer<typeof ComputerSystem>;

export const Manager = z.object({ VirtualMedia: optional(Link) });

export const VirtualMedia = z.object({
  Image: z.string().nullish().catch(undefined),
  Inserted: z.boolean().nullish().catch(undefined),
  MediaTypes: optional(Texts),
  Actions: optional(
    z.object({
      '#VirtualMedia.InsertMedia': optional(Action),
      '#VirtualMedia.EjectMedia': optional(Action),
    }),
  ),
});
export type VirtualMedia = z.infer<typeof VirtualMedia>;

export const Task = z.object({
  TaskState: optional(z.string()),
  Messages: optional(z.array(z.object({ Message: optional(z.string()) })).max(LIST_MOST)),
});

/** undefined where it is no power state. A machine that is on its way is not there yet. */
export function powerOf({ PowerState }: ComputerSystem): PowerSeen | undefined {
  if (PowerState === 'On' || PowerState === 'PoweringOff') return 'on';
  return PowerState === 'Off' || PowerState === 'PoweringOn' ? 'off' : undefined;
}

/** What the standard calls our orders; the first that a BMC allows. */
const RESET_TYPES = { on: ['On', 'ForceOn'], off: ['ForceOff'], reset: ['ForceRestart'] } as const;

/** undefined where the BMC allows none of them. */
export function resetTypeOf(
  order: keyof typeof RESET_TYPES,
  allowed: readonly string[] | undefined,
): string | undefined {
  return RESET_TYPES[order].find((type) => allowed === undefined || allowed.includes(type));
}

/**
 * What is to be set so that the next start, and no other, is from the network: `Pxe` where the BMC has it; else the
 * UEFI device whose path says that it is a network card's, for those that offer devices alone.
 */
export function networkBoot({ Boot: boot }: ComputerSystem): Json | undefined {
  const targets = boot?.['BootSourceOverrideTarget@Redfish.AllowableValues'];
  const once = { BootSourceOverrideEnabled: 'Once' };
  if (targets === undefined || targets.includes('Pxe')) return { ...once, BootSourceOverrideTarget: 'Pxe' };
  // UEFI 2.10, 10.3.4.11 and following: MAC(...) and IPv4(...) are the nodes of a network card.
  const devices = boot?.['UefiTargetBootSourceOverride@Redfish.AllowableValues'] ?? [];
  const device =
    devices.find((path) => /\bIPv4\(|\bpxe\b/i.test(path)) ?? devices.find((path) => /\bMAC\(/i.test(path));
  return targets.includes('UefiTarget') && device !== undefined
    ? { ...once, BootSourceOverrideTarget: 'UefiTarget', UefiTargetBootSourceOverride: device }
    : undefined;
}

const ExtendedError = z.object({
  error: z.object({
    message: z.string().optional().catch(undefined),
    '@Message.ExtendedInfo': z
      .array(z.object({ Message: z.string().optional().catch(undefined) }))
      .max(LIST_MOST)
      .optional()
      .catch(undefined),
  }),
});

/** Why, in the BMC's words where it has any. */
export function reasonOf(status: number, body: Json): string {
  const { error } = ExtendedError.safeParse(body).data ?? {};
  const said = error?.['@Message.ExtendedInfo']?.find(({ Message }) => Message)?.Message ?? error?.message;
  return said === undefined ? `HTTP ${status}` : `HTTP ${status}: ${plainText(said)}`;
}
