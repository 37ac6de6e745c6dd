import { KernelArgument } from '@bootswarm/images/format';
import { z } from 'zod';
import { ReleaseRef } from './release-ref.ts';

/** Nothing in which iPXE would see a setting, an operator or a quotation of its own. */
const Label = z
  .string()
  .regex(/^[A-Za-z0-9 .,:()/_+@-]{1,60}$/, 'must be 1 to 60 letters, digits, blanks and .,:()/_+@-');
const BootUrl = z
  .string()
  .max(500)
  .regex(/^(https?|tftp):\/\/[A-Za-z0-9._~:/?&=%+@,[\]-]+$/, 'must be a URL of http, https or tftp');
const MenuEntry = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('local'), label: Label }),
  z.strictObject({
    kind: z.literal('live'),
    label: Label,
    release: ReleaseRef,
    locked: z.boolean().default(false),
  }),
  /** A live release with a shell on the console and nothing started. */
  z.strictObject({
    kind: z.literal('rescue'),
    label: Label,
    release: ReleaseRef,
    locked: z.boolean().default(false),
  }),
  z.strictObject({ kind: z.literal('memtest'), label: Label, locked: z.boolean().default(false) }),
  z.strictObject({
    kind: z.literal('kernel'),
    label: Label,
    kernel: BootUrl,
    initramfs: BootUrl.optional(),
    arguments: z.array(KernelArgument).max(64).default([]),
    locked: z.boolean().default(false),
  }),
  z.strictObject({ kind: z.literal('iso'), label: Label, url: BootUrl, locked: z.boolean().default(false) }),
]);
export type MenuEntry = z.infer<typeof MenuEntry>;

/** What a machine with the intent `menu` shows. */
export const Menu = z
  .strictObject({
    title: Label.default('Bootswarm'),
    /** Until the first entry is taken; 0 waits for somebody. */
    timeoutSeconds: z.int().min(0).max(86_400).default(30),
    /** Of the `locked` entries; asked for on the machine's console, and crosses its VLAN in the clear. */
    password: z
      .string()
      .regex(/^scrypt:[A-Za-z0-9+/=]+:[A-Za-z0-9+/=]+$/, 'must be a hash that the command line made')
      .optional(),
    entries: z.array(MenuEntry).min(1).max(32),
  })
  .superRefine(({ entries, password }, context) => {
    const locked = entries.findIndex((entry) => 'locked' in entry && entry.locked);
    if (locked >= 0 && password === undefined)
      context.addIssue({
        code: 'custom',
        path: ['entries', locked, 'locked'],
        message: 'needs a password in the menu',
      });
  });
export type Menu = z.infer<typeof Menu>;
