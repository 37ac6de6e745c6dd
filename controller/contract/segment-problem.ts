import type { Problem } from '@bootswarm/images/format';
import type { DhcpPolicy, Reservation } from './dhcp-policy.ts';
import { problem } from './errors.ts';
import {
  type AddressRange,
  ipv4ToNumber,
  isHostOf,
  parseSubnet,
  rangeHolds,
  rangesOverlap,
  type Subnet,
} from './ipv4.ts';
import type { Segment } from './segment.ts';

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
  const inside = exclusionProblem(segment) ?? reservationProblem(segment);
  if (inside) return inside;
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

function exclusionProblem({ subnet, exclusions }: Segment): Problem | undefined {
  const parsed = parseSubnet(subnet);
  for (const [index, exclusion] of exclusions.entries()) {
    const field = `exclusions[${index}]`;
    const facts = { exclusion: poolText(exclusion), subnet };
    if (ipv4ToNumber(exclusion.first) > ipv4ToNumber(exclusion.last))
      return problem('segment_exclusion_reversed', { field, facts });
    if (!isHostOf(parsed, exclusion.first) || !isHostOf(parsed, exclusion.last))
      return problem('segment_exclusion_outside', { field, facts });
  }
  return undefined;
}

function reservationProblem(segment: Segment): Problem | undefined {
  const subnet = parseSubnet(segment.subnet);
  const seen = new Map<string, number>();
  for (const [index, reservation] of segment.reservations.entries()) {
    const { address } = reservation;
    const field = `reservations[${index}]`;
    if (address !== undefined) {
      const facts = { address, subnet: segment.subnet };
      if (!isHostOf(subnet, address))
        return problem('segment_reservation_outside', { field: `${field}.address`, facts });
      if (address === segment.router || segment.relays.includes(address))
        return problem('segment_reservation_taken', { field: `${field}.address`, facts });
    }
    for (const key of keysOf(reservation)) {
      const earlier = seen.get(key);
      if (earlier !== undefined)
        return problem('segment_reservation_twice', {
          field,
          facts: { what: key, other: `reservations[${earlier}]` },
        });
      seen.set(key, index);
    }
  }
  return undefined;
}

/** What must not stand in two reservations: the address, and the client. */
function keysOf({ address, mac, uuid, clientId, port }: Reservation): readonly string[] {
  return [
    ...(address === undefined ? [] : [`address ${address}`]),
    ...(mac === undefined ? [] : [`MAC ${mac}`]),
    ...(uuid === undefined ? [] : [`UUID ${uuid}`]),
    ...(clientId === undefined ? [] : [`client identifier ${clientId.toLowerCase().replaceAll(':', '')}`]),
    ...(port === undefined ? [] : [`port ${JSON.stringify(port)}`]),
  ];
}

/**
 * Which class that a pool names is in no policy, or which segment that a class names is not there, as a problem;
 * undefined where the two belong together.
 */
export function policyProblem({ classes }: DhcpPolicy, segments: readonly Segment[]): Problem | undefined {
  const names = new Set(classes.map(({ name }) => name));
  for (const segment of segments)
    for (const [index, pool] of segment.pools.entries()) {
      const unknown = pool.classes?.find((name) => !names.has(name));
      if (unknown !== undefined)
        return problem('segment_class_unknown', {
          field: `pools[${index}].classes`,
          facts: { class: unknown, segment: segment.name },
        });
    }
  const known = new Set(segments.map(({ name }) => name));
  for (const [index, { name, match, vlan }] of classes.entries()) {
    // Behind the tag the class must not hold again: iPXE would put it on for ever.
    if (vlan !== undefined && match.segments === undefined)
      return problem('class_vlan_everywhere', {
        field: `classes[${index}].match.segments`,
        facts: { class: name },
      });
    const unknown = match.segments?.find((segment) => !known.has(segment));
    if (unknown !== undefined)
      return problem('class_segment_unknown', {
        field: `classes[${index}].match.segments`,
        facts: { class: name, segment: unknown },
      });
  }
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
