import {
  type AddressRange,
  ipv4ToNumber,
  numberToIpv4,
  parseSubnet,
  rangeHolds,
  type Segment,
} from '@bootswarm/controller/contract';
import { isFreeFor, type LeaseView } from './lease.ts';

/**
 * The address for a machine: the one it had, else the one it asks for, else one that nobody ever had, else
 * the one that has been free the longest. A live lease is never given to somebody else.
 * @returns undefined where the pools are exhausted.
 */
export function allocate(
  segment: Segment,
  mac: string,
  wanted: string | undefined,
  leases: LeaseView,
  nowMs: number,
): string | undefined {
  const had = leases.ofMac(segment.name, mac)?.address;
  const preferred = [had, wanted].find(
    (address) =>
      address !== undefined && inPools(segment, address) && isFreeFor(leases.at(address), mac, nowMs),
  );
  return preferred ?? searchPools(segment, mac, leases, nowMs);
}

export function inPools(segment: Segment, address: string): boolean {
  return segment.pools.some((pool) => rangeHolds(pool, address));
}

export function inSubnet(segment: Segment, address: string): boolean {
  const { network, broadcast } = parseSubnet(segment.subnet);
  const number = ipv4ToNumber(address);
  return network <= number && number <= broadcast;
}

/** Begins where the MAC's hash points, so that a machine gets the same address even when all is forgotten. */
function searchPools(segment: Segment, mac: string, leases: LeaseView, nowMs: number): string | undefined {
  const size = segment.pools.reduce((sum, pool) => sum + sizeOf(pool), 0);
  const start = hashOf(mac) % size;
  let longestFree: { address: string; expiresAtMs: number } | undefined;
  for (let step = 0; step < size; step++) {
    const address = addressAt(segment.pools, (start + step) % size);
    const lease = leases.at(address);
    if (lease === undefined) return address;
    if (!isFreeFor(lease, mac, nowMs)) continue;
    if (longestFree === undefined || lease.expiresAtMs < longestFree.expiresAtMs)
      longestFree = { address, expiresAtMs: lease.expiresAtMs };
  }
  return longestFree?.address;
}

function addressAt(pools: readonly AddressRange[], index: number): string {
  let rest = index;
  for (const pool of pools) {
    if (rest < sizeOf(pool)) return numberToIpv4(ipv4ToNumber(pool.first) + rest);
    rest -= sizeOf(pool);
  }
  throw new RangeError(`the pools hold no address number ${index}`);
}

function sizeOf(pool: AddressRange): number {
  return ipv4ToNumber(pool.last) - ipv4ToNumber(pool.first) + 1;
}

/** FNV-1a, 32 bits: spreads the consecutive MACs of one delivery. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}
