import { z } from 'zod';
import { isIpv4 } from './ipv4.ts';
import { Mac, Name } from './names.ts';
import type { PowerAction } from './power-action.ts';

/** RFC 1123, section 2.1. */
const LABEL = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

/**
 * A dotted IPv4 address, an IPv6 address, or a host name whose last label has a letter and is no hexadecimal number:
 * the other spellings that the system's resolver takes for IPv4 (`0x7f.1`, `2130706433`, `010.0.0.1`) would say
 * something else to us than to it. RFC 3986, section 7.4.
 */
export function isBmcAddress(text: string): boolean {
  if (isIpv4(text)) return true;
  if (text.includes(':')) return z.ipv6().safeParse(text).success && !text.includes('%');
  const labels = text.toLowerCase().split('.');
  const last = labels.at(-1) ?? '';
  const isNumber = !/[a-z]/.test(last) || /^0x[0-9a-f]*$/.test(last);
  return text.length <= 253 && !isNumber && labels.every((label) => LABEL.test(label));
}

const BmcAddress = z
  .string()
  .refine(isBmcAddress, 'must be an address such as 10.9.0.7, fd00::7 or a host name such as bmc7.example');

const Port = z.int().min(1).max(65535);

/** No control characters: it travels in headers, in arguments and in JSON. */
const User = z.string().regex(/^[\x20-\x7e]{1,64}$/, 'must be 1 to 64 printable ASCII characters');

/** SHA-256 of the certificate in DER, as `openssl x509 -fingerprint -sha256` prints it, with or without colons. */
const Fingerprint = z
  .string()
  .transform((text) => text.replaceAll(':', '').toLowerCase())
  .pipe(z.string().regex(/^[0-9a-f]{64}$/, 'must be the SHA-256 of a certificate: 64 hexadecimal digits'));

/** Text that stands between braces in an argument of a power command. */
const HOLES = ['action', 'machine', 'mac', 'uuid'] as const;

/** What takes the place of braces in the arguments of a power command. */
export type CommandFacts = Readonly<Record<(typeof HOLES)[number], string>>;

const CommandArgument = z
  .string()
  .max(200)
  .refine((text) => !/\p{Cc}/u.test(text), 'must have no control characters')
  .refine(
    (text) => [...text.matchAll(/\{([^}]*)\}/g)].every(([, hole]) => HOLES.some((known) => known === hole)),
    `may have ${HOLES.map((hole) => `{${hole}}`).join(', ')} and no other braces`,
  );

/** Each argument stays one argument, whatever fills its braces. */
export function commandArguments(template: readonly string[], facts: CommandFacts): readonly string[] {
  return template.map((text) =>
    text.replace(/\{(\w+)\}/g, (_, hole: string) => facts[hole as keyof CommandFacts]),
  );
}

/**
 * By which the controller turns a machine on and off. Passwords are never in it: `secret` is the name of one that
 * `bootswarm secret set` keeps.
 */
export const Bmc = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('ipmi'),
    address: BmcAddress,
    port: Port.default(623),
    user: User,
    secret: Name,
    /** RMCP+ (IPMI 2.0, table 22-20). 3 is AES-128 with SHA-1, 17 with SHA-256; 0 would let anybody in. */
    cipherSuite: z.union([z.literal(3), z.literal(17)]).default(3),
    /** Which boot the override asks for: a firmware in UEFI mode ignores one for BIOS, and the other way round. */
    firmware: z.enum(['uefi', 'bios']).default('uefi'),
  }),
  z.strictObject({
    kind: z.literal('redfish'),
    address: BmcAddress,
    port: Port.default(443),
    user: User,
    secret: Name,
    /** Left out: the certificate must be one that the controller's host trusts, for that address. */
    fingerprint: Fingerprint.optional(),
    /** `verify: false` takes any certificate: whoever sits between learns the password. */
    verify: z.boolean().default(true),
    /** Of the service's Systems; left out where it has a single one. */
    systemId: z
      .string()
      .regex(/^[\w.:-]{1,64}$/, 'must be the id of a system, such as System.Embedded.1')
      .optional(),
  }),
  z.strictObject({
    kind: z.literal('command'),
    /** A file in the controller's folder of power commands. */
    program: z.string().regex(/^[a-z0-9][a-z0-9._-]{0,62}$/, 'must be the name of a program, without a path'),
    arguments: z.array(CommandArgument).max(20).default([]),
    /** Given to the command on its standard input, and nowhere else. */
    secret: Name.optional(),
  }),
  z.strictObject({
    kind: z.literal('wol'),
    /** Left out: the machine's first. */
    mac: Mac.optional(),
    /** Where the packet goes: the directed broadcast address of the machine's subnet, or everybody on this one. */
    address: z
      .string()
      .refine(isIpv4, 'must be an IPv4 address such as 10.1.2.255')
      .default('255.255.255.255'),
    port: Port.default(9),
    /** SecureOn: names a password of six octets, written like a MAC. */
    secret: Name.optional(),
  }),
]);
export type Bmc = z.infer<typeof Bmc>;

/** One kind of them. */
export type BmcOf<Kind extends Bmc['kind']> = Extract<Bmc, { kind: Kind }>;

/** What each kind can be asked for. */
export const POWER_ACTIONS_OF: Readonly<Record<Bmc['kind'], readonly PowerAction[]>> = {
  ipmi: ['status', 'on', 'off', 'cycle', 'reset', 'pxe'],
  redfish: ['status', 'on', 'off', 'cycle', 'reset', 'pxe', 'insert', 'eject'],
  command: ['status', 'on', 'off', 'cycle', 'reset', 'pxe'],
  wol: ['on'],
};
