import { z } from 'zod';
import { DhcpOptionSettings } from './dhcp-options.ts';
import { DhcpLimits, FirmwareChoice, Reservation, TftpCaps } from './dhcp-policy.ts';
import { Intent, isSingleUse } from './intent.ts';
import { Menu } from './menu.ts';
import { Cidr, Ipv4, Name } from './names.ts';
import { SwarmPolicy } from './swarm.ts';
import { UnknownMachines } from './unknown-machines.ts';

const Pool = z.strictObject({
  first: Ipv4,
  last: Ipv4,
  /** Only clients of one of these classes get an address of it; anybody does where none is named. */
  classes: z.array(Name).min(1).max(32).optional(),
});
const Range = z.strictObject({ first: Ipv4, last: Ipv4 });

/** One VLAN: its subnet, the addresses to give away, how its relays sign, and which edges serve it. */
export const Segment = z.strictObject({
  name: Name,
  subnet: Cidr,
  /** None: only those with a reserved address are served. */
  pools: z.array(Pool).max(64),
  /** Addresses inside the pools that nobody gets. */
  exclusions: z.array(Range).max(256).default([]),
  reservations: z.array(Reservation).max(8192).default([]),
  router: Ipv4.optional(),
  dnsServers: z.array(Ipv4).max(8).default([]),
  domain: z
    .string()
    .regex(/^[A-Za-z0-9.-]{1,253}$/, 'must be a domain name')
    .optional(),
  /** Addresses that relays write into giaddr, where they are not in the subnet itself. */
  relays: z.array(Ipv4).max(32).default([]),
  leaseSeconds: z
    .int()
    .min(60)
    .max(30 * 86400)
    .default(3600),
  edges: z.array(Name).min(1).max(8),
  /** `proxy`: another server gives the addresses, and the edge only says what to boot (PXE 2.1, proxyDHCP). */
  mode: z.enum(['dhcp', 'proxy']).default('dhcp'),
  /** Who may speak BOOTP without DHCP: nobody, those with a reserved address, or anybody, who then keeps it for good. */
  bootp: z.enum(['refuse', 'reserved', 'pool']).default('refuse'),
  /** Whether a new address is pinged beside the offer, and taken back where somebody answers. */
  checkConflicts: z.boolean().default(true),
  /** DHCP servers that are welcome here beside its edges; of any other an alarm is raised. */
  otherServers: z.array(Ipv4).max(16).default([]),
  limits: DhcpLimits.prefault({}),
  options: DhcpOptionSettings.default({}),
  firmware: FirmwareChoice.default({}),
  tftp: TftpCaps.default({}),
  menu: Menu.optional(),
  swarm: SwarmPolicy.optional(),
  /** What a machine without an intent of its own does. */
  defaultIntent: Intent.refine(
    (intent) => !isSingleUse(intent),
    'must not write to a disk: that is set for each machine',
  ).default({ kind: 'local' }),
  /** What becomes of a machine that nobody knew; `ignore` where it is left out. Controllers look at it, edges do not. */
  unknownMachines: UnknownMachines.optional(),
});
export type Segment = z.infer<typeof Segment>;
