import type { Lease } from '../decide/lease.ts';
import type { LeaseChange } from '../state/lease-history.ts';

/** A change with what followed from it. */
export interface ToldChange extends LeaseChange {
  /** Of `given`: until when the machine had the address, or has it by its last renewal. */
  readonly untilMs?: number;
}

export interface Asked {
  /** An address, a MAC or a UUID, in the spelling of leases. Undefined: everything. */
  readonly of: string | undefined;
  /** The newest so many. */
  readonly limit: number;
}

/**
 * The changes in the order of their time, the newest last.
 * @param changes in the order in which they were written.
 * @param leases as they are now: what a renewal extended stands there alone.
 */
export function tellHistory(
  changes: readonly LeaseChange[],
  leases: readonly Lease[],
  { of, limit }: Asked,
): ToldChange[] {
  const next = new Map<string, LeaseChange>();
  const now = new Map(leases.map((lease) => [lease.address, lease]));
  const told: ToldChange[] = [];
  for (const change of changes.toReversed()) {
    if (of === undefined || [change.address, change.mac, change.uuid].includes(of))
      told.push(change.what === 'given' ? withUntil(change, next.get(change.address), now) : change);
    next.set(change.address, change);
  }
  // An end that nobody noted at its time was written later than it was.
  return told
    .toReversed()
    .toSorted((a, b) => a.atMs - b.atMs)
    .slice(-limit);
}

function withUntil(
  change: LeaseChange,
  after: LeaseChange | undefined,
  now: ReadonlyMap<string, Lease>,
): ToldChange {
  if (after) return { ...change, untilMs: after.atMs };
  const lease = now.get(change.address);
  const isItsOwn = lease?.mac === change.mac && lease.state === 'bound';
  const untilMs = isItsOwn ? lease.expiresAtMs : change.expiresAtMs;
  return untilMs === undefined ? change : { ...change, untilMs };
}
