import { z } from 'zod';
import { DhcpOptionSettings } from './dhcp-options.ts';
import { Ipv4, Mac, Name, Uuid } from './names.ts';

/** What firmware a client speaks from, as far as option 93 tells. */
export const PlatformKey = z.enum([
  'bios',
  'uefi-ia32',
  'uefi-x64',
  'uefi-arm32',
  'uefi-arm64',
  'uefi-riscv32',
  'uefi-riscv64',
  'uefi-riscv128',
  'uefi-loongarch32',
  'uefi-loongarch64',
  'raspberry-pi',
]);
export type PlatformKey = z.infer<typeof PlatformKey>;

/** A file of the edge's boot tree, such as `undionly.kkpxe` or `shimx64.efi`. */
const BootFileName = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/, 'must be a file name such as snponly.efi');

/** Another boot file than the usual one, by platform. */
export const FirmwareChoice = z.partialRecord(PlatformKey, BootFileName);

/** How large the packets of a TFTP transfer may get (boot-protocols.md, quirks 10 to 12). */
export const TftpCaps = z.strictObject({
  blockBytesMost: z.int().min(512).max(65_464).optional(),
  windowMost: z.int().min(1).max(16).optional(),
});
export type TftpCaps = z.infer<typeof TftpCaps>;

/**
 * Text in which `*` stands for anything. Held against what option 82 says as text, or, with `hex:` before it,
 * as lower-case hexadecimal.
 */
const Pattern = z
  .string()
  .regex(
    /^(hex:[0-9a-f*]{1,510}|(?!hex:)[\x20-\x7e]{1,255})$/,
    "must be text with '*' for anything, or hex:0a*",
  );

const Oui = z
  .string()
  .toLowerCase()
  .transform((text) => text.replace(/-/g, ':'))
  .pipe(
    z.string().regex(/^[0-9a-f]{2}(:[0-9a-f]{2}){2}$/, 'must be the first half of a MAC such as b8:27:eb'),
  );

/** Which clients a class is about: all that is given must hold; of a list, any one. */
const ClassMatch = z
  .strictObject({
    platforms: z.array(PlatformKey).min(1).optional(),
    /** Client architectures of option 93. */
    architectures: z.array(z.int().min(0).max(65_535)).min(1).optional(),
    /** How option 60 begins. */
    vendorClass: z.string().min(1).max(255).optional(),
    /** One of option 77. */
    userClass: z.string().min(1).max(255).optional(),
    ouis: z.array(Oui).min(1).max(256).optional(),
    macs: z.array(Mac).min(1).max(1024).optional(),
    uuids: z.array(Uuid).min(1).max(1024).optional(),
    circuitId: Pattern.optional(),
    remoteId: Pattern.optional(),
    /** giaddr. */
    relays: z.array(Ipv4).min(1).max(256).optional(),
    segments: z.array(Name).min(1).max(256).optional(),
  })
  .refine(
    (match) => Object.keys(match).length > 0,
    'must name at least one thing that the clients have in common',
  );

/** Clients that have something in common, and what holds for them. Of two that say the same, the later wins. */
export const DhcpClass = z.strictObject({
  name: Name,
  match: ClassMatch,
  /** Not served at all; for the journal, why not. */
  refuse: z.string().min(1).max(200).optional(),
  options: DhcpOptionSettings.optional(),
  firmware: FirmwareChoice.optional(),
  tftp: TftpCaps.optional(),
  /** The VLAN tag that iPXE must put on again after it was chainloaded (quirk 26). */
  vlan: z.int().min(1).max(4094).optional(),
});
export type DhcpClass = z.infer<typeof DhcpClass>;

/** A switch port as option 82 names it. */
export const SwitchPort = z
  .strictObject({ relay: Ipv4.optional(), circuitId: Pattern.optional(), remoteId: Pattern.optional() })
  .refine(
    (port) => port.circuitId !== undefined || port.remoteId !== undefined,
    'must have a circuitId or a remoteId',
  );
export type SwitchPort = z.infer<typeof SwitchPort>;

/** A client known by exactly one of MAC, UUID, client identifier and switch port, and what is kept for it. */
export const Reservation = z
  .strictObject({
    mac: Mac.optional(),
    uuid: Uuid.optional(),
    /** Option 61 in hexadecimal, its type byte included. */
    clientId: z
      .string()
      .regex(/^[0-9a-f]{2}(:?[0-9a-f]{2}){0,254}$/i, 'must be hexadecimal')
      .optional(),
    port: SwitchPort.optional(),
    /** Given to nobody else; where there is none, the client gets one of the pools. */
    address: Ipv4.optional(),
    hostname: z
      .string()
      .regex(/^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/, 'must be a host name')
      .optional(),
    options: DhcpOptionSettings.optional(),
    firmware: FirmwareChoice.optional(),
  })
  .refine(
    ({ mac, uuid, clientId, port }) =>
      [mac, uuid, clientId, port].filter((each) => each !== undefined).length === 1,
    'must name its client by exactly one of mac, uuid, clientId and port',
  );
export type Reservation = z.infer<typeof Reservation>;

/** What one client, switch port or relay may take at most. Nothing where it is left out. */
export const DhcpLimits = z.strictObject({
  /** Messages a second. */
  perMac: z.int().min(1).max(10_000).default(20),
  perPort: z.int().min(1).max(100_000).optional(),
  perRelay: z.int().min(1).max(1_000_000).optional(),
  /** Live leases of the pools; reservations do not count. */
  leasesPerPort: z.int().min(1).optional(),
  leasesPerRelay: z.int().min(1).optional(),
});
export type DhcpLimits = z.infer<typeof DhcpLimits>;

/** What holds in every segment. */
export const DhcpPolicy = z
  .strictObject({
    options: DhcpOptionSettings.default({}),
    classes: z.array(DhcpClass).max(256).default([]),
  })
  .superRefine(({ classes }, context) => {
    const seen = new Set<string>();
    for (const [index, { name }] of classes.entries()) {
      if (seen.has(name))
        context.addIssue({ code: 'custom', path: ['classes', index, 'name'], message: 'stands there twice' });
      seen.add(name);
    }
  });
export type DhcpPolicy = z.infer<typeof DhcpPolicy>;
