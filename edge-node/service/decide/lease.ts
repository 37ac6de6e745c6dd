import type { Pool } from './site.ts';

/** BOOTP knows no end of a lease (RFC 1534, section 2): the last millisecond that a Date can tell. */
export const FOREVER_MS = 8.64e15;

/** Stands for a relay where a client is heard without one. */
export const DIRECT = 'direct';

/** An address and whose it is. */
export interface Lease {
  readonly segment: string;
  readonly address: string;
  readonly mac: string;
  /**
   * `offered` is held in memory alone. `released` keeps the affinity of its machine until somebody else needs
   * the address. `declined` is an address that a machine found in use: nobody gets it until it expires.
   */
  readonly state: 'offered' | 'bound' | 'released' | 'declined';
  /** Milliseconds of Unix time. */
  readonly expiresAtMs: number;
  readonly uuid?: string;
  /** Whose reservation it fulfils; such a lease counts against no limit. */
  readonly reservation?: string;
  /** Where it came from, where the segment limits the leases of a relay (giaddr, or `DIRECT`) or of a switch port. */
  readonly relay?: string;
  readonly port?: string;
}

/** The leases as a decision sees them. */
export interface LeaseView {
  /** The last lease of a machine in a segment, whatever its state. */
  ofMac(segment: string, mac: string): Lease | undefined;
  at(address: string): Lease | undefined;
  /** The first address of the pool, from that number on and round its end, that never had a lease. */
  unusedIn(pool: Pool, from: number): number | undefined;
  /** Of the addresses of the pool that had one, the lease that ended first, if it has ended. */
  longestFreeIn(pool: Pool, nowMs: number): Lease | undefined;
  /** Whether `most` live leases or more, reservations aside, came from that relay or switch port. */
  isFull(origin: Origin, most: number, nowMs: number): boolean;
  /** Whether `most` addresses of the segment or more are in quarantine. */
  isQuarantineFull(segment: string, most: number, nowMs: number): boolean;
}

/** A relay by its giaddr, or a switch port by what its relay calls it. */
export interface Origin {
  readonly segment: string;
  readonly kind: 'relay' | 'port';
  readonly name: string;
}

/** Whether `mac` may be given the address that `lease` (undefined: nobody yet) is about. */
export function isFreeFor(
  lease: Lease | undefined,
  { mac, reservation }: { readonly mac: string; readonly reservation?: string | undefined },
  nowMs: number,
): boolean {
  if (lease === undefined || lease.expiresAtMs <= nowMs) return true;
  if (lease.state === 'declined') return false;
  // What is reserved for a port or a UUID goes to whichever card speaks from there.
  return lease.mac === mac || (reservation !== undefined && lease.reservation === reservation);
}
