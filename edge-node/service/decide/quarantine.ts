import type { Lease, LeaseView } from './lease.ts';
import type { ServedSegment } from './site.ts';

/** An address found in use is given to nobody for this long. */
const QUARANTINE_MS = 60 * 60 * 1000;
/** Of a small segment, half of its addresses, and no more than these. */
const FEW = 4;

/**
 * An offer or lease whose address turned out to be somebody else's: nobody gets it for a while. A client that
 * declines whatever it is given, or a host that answers every ping, must not use the pools up (faults.md, 8): where
 * a tenth of the addresses is in quarantine already, one more is only taken from its machine.
 */
export function quarantined(
  lease: Lease,
  served: Pick<ServedSegment, 'pools' | 'reservations'> | undefined,
  leases: Pick<LeaseView, 'isQuarantineFull'>,
  nowMs: number,
): Lease {
  const isFull = leases.isQuarantineFull(lease.segment, served ? quarantineMost(served) : 1, nowMs);
  return { ...lease, state: 'declined', expiresAtMs: isFull ? nowMs : nowMs + QUARANTINE_MS };
}

/** For a person. */
export function quarantineText({ expiresAtMs }: Lease, nowMs: number): string {
  return expiresAtMs > nowMs ? 'nobody gets it for an hour' : 'too many are in quarantine to keep it back';
}

function quarantineMost({ pools, reservations }: Pick<ServedSegment, 'pools' | 'reservations'>): number {
  const inPools = pools.reduce((sum, { first, last }) => sum + last - first + 1, 0);
  const addresses = inPools + reservations.addresses.length;
  return Math.max(1, Math.min(FEW, addresses >> 1), Math.floor(addresses / 10));
}
