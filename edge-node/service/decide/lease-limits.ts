import type { Lease, Origin } from './lease.ts';
import { originsOf, type Situation } from './situation.ts';

/**
 * Why giving that address would be one lease of the pools too many for the relay or switch port of the client. What
 * it holds already is none more, unless it was offered elsewhere or before there was a limit.
 */
export function limitReached(
  { client, served, terms, leases, nowMs }: Situation,
  address: string,
): string | undefined {
  if (terms.reserved?.definition.address === address) return undefined;
  const { leasesPerRelay, leasesPerPort } = served.segment.limits;
  if (leasesPerRelay === undefined && leasesPerPort === undefined) return undefined;
  const there = leases.at(address);
  const own = there?.mac === client.mac && there.expiresAtMs > nowMs ? there : undefined;
  if (own?.state === 'bound') return undefined;
  const { relay, port } = originsOf(client, served.segment.name);
  const isOver = (origin: Origin, most: number): boolean =>
    !countsFor(own, origin) && leases.isFull(origin, most, nowMs);
  if (leasesPerRelay !== undefined && isOver(relay, leasesPerRelay))
    return `relay ${relay.name} has ${leasesPerRelay} leases already`;
  if (leasesPerPort !== undefined && port && isOver(port, leasesPerPort))
    return `the switch port has ${leasesPerPort} leases already`;
  return undefined;
}

function countsFor(lease: Lease | undefined, { kind, name }: Origin): boolean {
  return lease?.[kind] === name;
}
