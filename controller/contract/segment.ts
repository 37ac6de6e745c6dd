import type { Problem } from '@bootswarm/images/format';
import { z } from 'zod';
import { DhcpOptionSettings } from './dhcp-options.ts';
import { DhcpLimits, FirmwareChoice, Reservation, TftpCaps } from './dhcp-policy.ts';
import { problem } from './errors.ts';
import { Intent } from './intent.ts';
import {
  type AddressRange,
  ipv4ToNumber,
  isHostOf,
  parseSubnet,
  rangeHolds,
  rangesOverlap,
  type Subnet,
} from './ipv4.ts';
import { Menu } from './menu.ts';
import { Cidr, Ipv4, Name } from './names.ts';

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
  /** What a machine without an intent of its own does. */
  defaultIntent: Intent.default({ kind: 'local' }),
});
export type Segment = z.infer<typeof Segment>;

/**
 * Why `segment` cannot stand beside `others`, or undefined. The schema has checked each field alone; this
 * checks them against each other.
 */
export function segmentProblem(segment: Segment, others: readonly Segment[]): Problem | undefined {
  const subnet = parseSubnet(segment.subnet);
  if (segment.router !== undefined && !isHostOf(subnet, segment.router))
    return problem('segment_router_outside', {
      field: 'router',
      facts: { router: segment.router, subnet: segment.subnet },
    });
  for (const [index, pool] of segment.pools.entries()) {
    const found = poolProblem(segment, pool, `pools[${index}]`, index);
    if (found) return found;
  }
  for (const other of others) {
    if (other.name === segment.name) continue;
    const found = neighbourProblem(segment, other);
    if (found) return found;
  }
  return undefined;
}

function poolProblem(
  segment: Segment,
  pool: AddressRange,
  field: string,
  index: number,
): Problem | undefined {
  const subnet = parseSubnet(segment.subnet);
  const facts = { pool: poolText(pool), subnet: segment.subnet };
  if (ipv4ToNumber(pool.first) > ipv4ToNumber(pool.last))
    return problem('segment_pool_reversed', { field, facts });
  if (!isHostOf(subnet, pool.first) || !isHostOf(subnet, pool.last))
    return problem('segment_pool_outside', { field, facts });
  if (segment.router !== undefined && rangeHolds(pool, segment.router))
    return problem('segment_pool_holds_router', { field, facts: { ...facts, router: segment.router } });
  const relay = segment.relays.find((address) => rangeHolds(pool, address));
  if (relay !== undefined) return problem('segment_pool_holds_relay', { field, facts: { ...facts, relay } });
  const twin = segment.pools.slice(0, index).find((earlier) => rangesOverlap(earlier, pool));
  if (twin)
    return problem('segment_pool_overlaps', {
      field,
      facts: { ...facts, other: poolText(twin), segment: segment.name },
    });
  return undefined;
}

function neighbourProblem(segment: Segment, other: Segment): Problem | undefined {
  for (const [index, pool] of segment.pools.entries()) {
    const twin = other.pools.find((theirs) => rangesOverlap(theirs, pool));
    if (twin)
      return problem('segment_pool_overlaps', {
        field: `pools[${index}]`,
        facts: { pool: poolText(pool), other: poolText(twin), segment: other.name },
      });
  }
  const [ours, theirs] = [parseSubnet(segment.subnet), parseSubnet(other.subnet)];
  if (ours.network <= theirs.broadcast && theirs.network <= ours.broadcast)
    return problem('segment_subnet_overlaps', {
      field: 'subnet',
      facts: { subnet: segment.subnet, other: other.subnet, segment: other.name },
    });
  const shared = segment.relays.find((address) => other.relays.includes(address) || inside(theirs, address));
  if (shared !== undefined)
    return problem('segment_relay_taken', { field: 'relays', facts: { relay: shared, segment: other.name } });
  const foreign = other.relays.find((address) => inside(ours, address));
  if (foreign !== undefined)
    return problem('segment_relay_taken', {
      field: 'subnet',
      facts: { relay: foreign, segment: other.name },
    });
  return undefined;
}

function inside(subnet: Subnet, address: string): boolean {
  const number = ipv4ToNumber(address);
  return number >= subnet.network && number <= subnet.broadcast;
}

function poolText(pool: AddressRange): string {
  return `${pool.first}-${pool.last}`;
}
