import { ipv4FromNumber, ipv4ToNumber } from '@bootswarm/edge-node/dhcp4';
import type { Client } from './client.ts';
import { isFreeFor, type Lease, type LeaseView } from './lease.ts';
import type { Pool, ServedSegment } from './site.ts';
import type { Terms } from './terms.ts';

export interface Applicant {
  readonly client: Pick<Client, 'mac'>;
  readonly terms: Pick<Terms, 'classes' | 'reserved'>;
  readonly served: ServedSegment;
  readonly leases: LeaseView;
  readonly nowMs: number;
}

/** @param isNew whether nothing tells that the client itself used the address lately. */
export type Allocation =
  | { readonly kind: 'address'; readonly address: string; readonly isNew: boolean }
  | { readonly kind: 'none'; readonly cause: 'pool_none' | 'pool_exhausted' };

/**
 * The address for a machine: the one reserved for it, else the one it had, else the one it asks for, else one
 * that nobody ever had, else the one that has been free the longest. A live lease is never given to somebody
 * else. Takes about the same time however many leases there are.
 */
export function allocate(applicant: Applicant, wanted: string | undefined): Allocation {
  const { client, terms, served, leases, nowMs } = applicant;
  const who = { mac: client.mac, reservation: terms.reserved?.key };
  const reservedAddress = terms.reserved?.definition.address;
  if (reservedAddress !== undefined && isFreeFor(leases.at(reservedAddress), who, nowMs))
    return { kind: 'address', address: reservedAddress, isNew: false };

  const pools = poolsFor(applicant);
  const had = leases.ofMac(served.segment.name, client.mac)?.address;
  const preferred = [had, wanted].find(
    (address) =>
      address !== undefined && isGivenBy(pools, address) && isFreeFor(leases.at(address), who, nowMs),
  );
  if (preferred !== undefined) return { kind: 'address', address: preferred, isNew: preferred !== had };
  const address = searchPools(pools, client.mac, leases, nowMs);
  if (address !== undefined) return { kind: 'address', address, isNew: true };
  return { kind: 'none', cause: pools.length === 0 ? 'pool_none' : 'pool_exhausted' };
}

/** Whether the client may hold an address here: its reserved one, or one of a pool that is open to it. */
export function mayHold(applicant: Applicant, address: string): boolean {
  return applicant.terms.reserved?.definition.address === address || isGivenBy(poolsFor(applicant), address);
}

function poolsFor({ terms, served }: Applicant): readonly Pool[] {
  return served.pools.filter(
    ({ classes }) => classes === undefined || terms.classes.some(({ name }) => classes.includes(name)),
  );
}

function isGivenBy(pools: readonly Pool[], address: string): boolean {
  const number = ipv4ToNumber(address);
  return pools.some((pool) => pool.first <= number && number <= pool.last && !pool.isBarred(number));
}

/** Begins where the MAC's hash points, so that a machine gets the same address even when all is forgotten. */
function searchPools(
  pools: readonly Pool[],
  mac: string,
  leases: LeaseView,
  nowMs: number,
): string | undefined {
  const hash = hashOf(mac);
  const isNarrow = ({ classes }: Pool): boolean => classes !== undefined;
  // The pools of a class are used up before those of everybody.
  for (const alike of [pools.filter(isNarrow), pools.filter((pool) => !isNarrow(pool))]) {
    let longestFree: Lease | undefined;
    for (const pool of alike) {
      const start = pool.first + (hash % (pool.last - pool.first + 1));
      const unused = leases.unusedIn(pool, start);
      if (unused !== undefined) return ipv4FromNumber(unused);
      const free = leases.longestFreeIn(pool, nowMs);
      if (free && (longestFree === undefined || free.expiresAtMs < longestFree.expiresAtMs))
        longestFree = free;
    }
    if (longestFree) return longestFree.address;
  }
  return undefined;
}

/** FNV-1a, 32 bits: spreads the consecutive MACs of one delivery. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}
