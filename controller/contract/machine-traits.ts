import { Architecture } from '@bootswarm/images/format';
import { z } from 'zod';
import { Instant, Mac, Name } from './names.ts';

/** Of what machines, switches and vendors call themselves, longer texts are cut. */
const TRAIT_TEXT_MOST = 100;
const LABELS_MOST = 64;
/** Of a machine's hardware: what else changed is counted. */
export const HARDWARE_CHANGES_MOST = 50;
const LINKS_MOST = 64;

/** What moves a cursor, rings a bell, turns the direction of text or cannot be seen. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cs}\uFFFD]+/gu;

/** What anybody may have written, made harmless to show: one line, no control characters, not too long. */
export function plainText(text: string | undefined): string | undefined {
  const cut = text?.replace(UNSEEN, ' ').trim().slice(0, TRAIT_TEXT_MOST);
  // The cut may have gone through a character that is two units long.
  const plain = cut?.replace(/[\uD800-\uDBFF]$/, '').trim();
  return plain === '' ? undefined : plain;
}

const TraitText = z
  .string()
  .min(1)
  .max(TRAIT_TEXT_MOST)
  .refine(
    (text) => plainText(text) === text,
    'must be printable characters, without blanks before or behind them',
  );

export const LabelName = z
  .string()
  .regex(
    /^[a-z0-9]([a-z0-9._-]{0,61}[a-z0-9])?$/,
    'must be 1 to 63 of a-z 0-9 . _ - and begin and end with a letter or digit',
  );

export const LabelValue = TraitText;

/** Labels and free properties: names to values. */
export const Labels = z
  .record(LabelName, LabelValue)
  .refine((labels) => Object.keys(labels).length <= LABELS_MOST, `must not be more than ${LABELS_MOST}`);
export type Labels = z.infer<typeof Labels>;

/** What a machine has in it, as it was inspected last. */
export const MachineProperties = z.strictObject({
  /** Threads, as the kernel counts processors. */
  cpus: z.int().min(0).optional(),
  /** Of its memory modules; where the firmware tells of none, what the kernel has. */
  memoryBytes: z.int().min(0).optional(),
  /** Of all disks that cannot be pulled out while it runs. */
  diskBytes: z.int().min(0).optional(),
  disks: z.int().min(0).optional(),
  architecture: Architecture.optional(),
  firmware: z.enum(['bios', 'uefi']).optional(),
  manufacturer: TraitText.optional(),
  product: TraitText.optional(),
  processor: TraitText.optional(),
  biosVersion: TraitText.optional(),
  /** `10de:20b0`: PCI ids of graphics cards and accelerators, each as often as it is there. */
  accelerators: z.array(TraitText).max(32).optional(),
  /** Whatever else rules say of it. */
  extra: Labels.optional(),
});
export type MachineProperties = z.infer<typeof MachineProperties>;

/** Where the cable of a network card ends. */
const MachineLink = z.strictObject({ mac: Mac, switch: TraitText, port: TraitText });

export const MachineLocation = z.strictObject({
  /** Of each network card, as the switch said by LLDP when the machine was inspected last. */
  links: z.array(MachineLink).max(LINKS_MOST).optional(),
  /** As it was registered; else its label `rack` says it. */
  rack: TraitText.optional(),
  /** In the rack. */
  position: TraitText.optional(),
});
export type MachineLocation = z.infer<typeof MachineLocation>;

export const HardwareChange = z.strictObject({
  /** When an inspection first found it otherwise than it was accepted. */
  since: Instant,
  changes: z
    .array(
      z.strictObject({
        where: z.string(),
        before: z.string().optional(),
        after: z.string().optional(),
      }),
    )
    .max(HARDWARE_CHANGES_MOST),
  /** Also of those that are left out above. */
  count: z.int().positive(),
});
export type HardwareChange = z.infer<typeof HardwareChange>;

/** By which operators know and choose machines. */
export const MachineTraits = z.strictObject({
  /** No two machines have the same. */
  name: Name.optional(),
  /** On its case: as it was registered or inspected. */
  serial: TraitText.optional(),
  /** Those of rules, and in their place those set by hand. */
  labels: Labels.optional(),
  /** By hand or by a rule. */
  class: Name.optional(),
  /** What of labels and class an operator said: no rule changes it. */
  byHand: z.strictObject({ labels: Labels.optional(), class: Name.optional() }).optional(),
  properties: MachineProperties.optional(),
  location: MachineLocation.optional(),
  /** Name of the reservation that holds it. */
  reservation: Name.optional(),
  /** Left out where it is as it was accepted. */
  hardwareChanged: HardwareChange.optional(),
});
export type MachineTraits = z.infer<typeof MachineTraits>;

/** As it was registered, or as its label says. */
export function rackOf({ location, labels }: Pick<MachineTraits, 'location' | 'labels'>): string | undefined {
  return location?.rack ?? labelOf(labels, 'rack');
}

/** Of labels, whose names anybody chooses: `constructor` is one as any other. */
export function labelOf(labels: Labels | undefined, name: string): string | undefined {
  return labels && Object.hasOwn(labels, name) ? labels[name] : undefined;
}
