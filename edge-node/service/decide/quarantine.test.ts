import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { decideDhcp } from './dhcp.ts';
import type { Lease } from './lease.ts';
import {
  FakeLeases,
  leaseWith,
  NOW_MS,
  OTHER_MAC,
  packetOf,
  segmentWith,
  situationOf,
} from './testing/world.ts';

const HOUR_MS = 3_600_000;

/** How long the quarantine is for an address that is declined while `others` are in quarantine already. */
function quarantineMs(poolLast: string, others: number): number {
  const leases: readonly Lease[] = [
    leaseWith({ address: '10.99.0.100' }),
    ...Array.from({ length: others }, (_, at) =>
      leaseWith({ address: `10.99.0.${101 + at}`, mac: OTHER_MAC, state: 'declined' }),
    ),
  ];
  const decision = decideDhcp(
    situationOf(packetOf('DECLINE', { requested: '10.99.0.100' }), {
      segment: segmentWith({ pools: [{ first: '10.99.0.100', last: poolLast }] }),
      leases: new FakeLeases(...leases),
    }),
  );
  assert.equal(decision.lease?.state, 'declined');
  return (decision.lease?.expiresAtMs ?? 0) - NOW_MS;
}

describe('an address that was found in use', () => {
  const cases: readonly (readonly [name: string, poolLast: string, others: number, ms: number])[] = [
    ['is kept back for an hour', '10.99.0.109', 0, HOUR_MS],
    ['is kept back beside a few others', '10.99.0.109', 3, HOUR_MS],
    ['is only taken from its machine where four of ten are kept back already', '10.99.0.109', 4, 0],
    ['is kept back as one of a tenth of a large pool', '10.99.0.199', 9, HOUR_MS],
    ['is only taken from its machine where a tenth of a large pool is kept back', '10.99.0.199', 10, 0],
    ['is kept back where it is the only one', '10.99.0.100', 0, HOUR_MS],
    ['is one of half of a tiny pool at most', '10.99.0.103', 2, 0],
  ];
  for (const [name, poolLast, others, ms] of cases)
    test(name, () => assert.equal(quarantineMs(poolLast, others), ms));
});
