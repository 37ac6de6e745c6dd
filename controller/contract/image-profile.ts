import { KernelArgument } from '@bootswarm/images/format';
import { DiskLayout } from '@bootswarm/images/install';
import { z } from 'zod';
import { firstBootFault, USER_DATA_MOST } from './first-boot-texts.ts';
import { VariableName, VariableValue } from './installer-profile.ts';
import { Name } from './names.ts';
import { ReleaseRef } from './release-ref.ts';
import { SshKey } from './ssh-key.ts';

/** crypt(5): `$6$...`, `$y$...`; or `*`, with which nobody gets in by password. */
const PasswordHash = z
  .string()
  .max(300)
  .regex(/^(\*|\$(5|6|y|gy|2b)\$[A-Za-z0-9./$=,]+)$/, "must be a hash of crypt(5), such as 'mkpasswd' makes");

/** Shell of the mini image, or of the new system: it begins with `#!` or is read by sh. */
const Script = z.string().min(1).max(USER_DATA_MOST);

/** A host's word, a URL: whatever stands in a configuration file as it is. */
const Word = z
  .string()
  .min(1)
  .max(300)
  .regex(/^[^\s'"\\`$]+$/, 'must be without blanks, quotes and dollars');

/** Who takes the new system over. What it needs must be in the image; the install refuses where it is not. */
export const Takeover = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('salt'), master: Word }),
  z.strictObject({ kind: z.literal('puppet'), server: Word, environment: Word.default('production') }),
  z.strictObject({
    kind: z.literal('ansible-pull'),
    /** Of a Git repository. */
    url: Word,
    playbook: Word.default('local.yml'),
    checkout: Word.optional(),
  }),
]);
export type Takeover = z.infer<typeof Takeover>;

/** How the new system is set up before it boots for the first time. */
export const FirstBoot = z.strictObject({
  rootPasswordHash: PasswordHash.default('*'),
  sshKeys: z.array(SshKey).max(64).default([]),
  /** `static` takes the address that the machine has now for good, with its segment's router and name servers. */
  network: z.enum(['dhcp', 'static']).default('dhcp'),
  timezone: z
    .string()
    .regex(/^[A-Za-z0-9_+-]+(\/[A-Za-z0-9_+-]+){0,2}$/, 'must be such as Europe/Berlin')
    .default('Etc/UTC'),
  locale: z
    .string()
    .regex(/^[A-Za-z0-9_.@-]{1,40}$/, 'must be such as C.UTF-8')
    .default('C.UTF-8'),
  /** With holes, as `web-{{ rack }}-{{ machine.id }}`; else the name of its reservation, or its id. */
  hostname: z.string().min(1).max(300).optional(),
  /** cloud-init's `user-data`, for an image that has cloud-init: seeded for its NoCloud source. */
  userData: Script.optional(),
  takeover: Takeover.optional(),
});
export type FirstBoot = z.infer<typeof FirstBoot>;

const ImageProfileFields = z.strictObject({
  name: Name,
  kind: z.literal('image'),
  release: ReleaseRef,
  layout: DiskLayout,
  /** Of the new system, behind `root=`; the release's own are those of its live boot. */
  kernelArguments: z.array(KernelArgument).max(64).default([]),
  /**
   * Defaults by name; null where each machine must have its own value. Where they are named, if only as {}, host name
   * and user data have holes for them and for the built-in ones: answer-template.ts.
   */
  variables: z.record(VariableName, VariableValue.nullable()).optional(),
  firstBoot: FirstBoot.prefault({}),
  hooks: z
    .strictObject({
      /** In the mini image, before any disk is written to. One that fails ends the install. */
      before: z.array(Script).max(16).default([]),
      /** In the new system, once everything else is done. */
      after: z.array(Script).max(16).default([]),
    })
    .prefault({}),
  /** From the reboot to the first word of the new system; without it the machine has failed. */
  firstBootMinutes: z.int().min(1).max(1440).default(20),
});

/** How a live release is installed to the disks of a machine. */
export const ImageProfile = ImageProfileFields.superRefine((profile, context) => {
  const fault = firstBootFault(profile);
  if (fault) context.addIssue({ code: 'custom', path: ['firstBoot', fault.text], message: fault.reason });
});
export type ImageProfile = z.infer<typeof ImageProfile>;

/** The same for a medium that installs: its release may be left to be the one on it, and nobody there knows addresses. */
export const MediumProfile = ImageProfileFields.partial({ release: true })
  .refine(({ firstBoot }) => firstBoot.network === 'dhcp', {
    path: ['firstBoot', 'network'],
    message: 'must be dhcp on a medium, which knows no address of the machine',
  })
  .refine(({ variables, firstBoot }) => variables === undefined && firstBoot.hostname === undefined, {
    path: ['variables'],
    message: 'must be left out on a medium, with the hostname: nobody there has values for a machine',
  });
