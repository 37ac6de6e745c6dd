import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ipv4ToNumber } from '@bootswarm/controller/contract';
import fc from 'fast-check';
import type { Lease } from '../decide/lease.ts';
import type { Pool } from '../decide/site.ts';
import { FakeLeases, leaseWith, NOW_MS, segmentWith, servedIn, siteOf } from '../decide/testing/world.ts';
import { FakeLeaseLog } from '../testing/fake-lease-log.ts';
import { LeaseTable } from './lease-table.ts';

const PREFIX = '10.99.0.';
/** Two pools that end in the middle of a word of the index, with what nobody gets in them. */
const segment = segmentWith({
  pools: [
    { first: `${PREFIX}10`, last: `${PREFIX}52` },
    { first: `${PREFIX}100`, last: `${PREFIX}103` },
  ],
  exclusions: [{ first: `${PREFIX}8`, last: `${PREFIX}45` }],
  reservations: [{ mac: '52:54:00:00:00:99', address: `${PREFIX}101` }],
});
/** The same, as the next desired state describes it; and one that excludes less. */
const [site, sameSite, widerSite] = [segment, segment, { ...segment, exclusions: [] }].map((each) =>
  servedIn(siteOf(each), each),
);
const macs = Array.from({ length: 8 }, (_, at) => `52:54:00:aa:00:0${at}`);
/** In the pools, in what is barred of them, and beside them. */
const addresses = [10, 45, 46, 47, 48, 49, 50, 51, 52, 100, 101, 102, 103, 200].map((at) => `${PREFIX}${at}`);

const remembered = fc.record({
  kind: fc.constant('remember' as const),
  address: fc.constantFrom(...addresses),
  mac: fc.constantFrom(...macs),
  state: fc.constantFrom<Lease['state']>('offered', 'bound', 'bound', 'released', 'declined'),
  lastsMs: fc.integer({ min: -5000, max: 5000 }),
  relay: fc.constantFrom(undefined, 'a', 'b'),
});
const event = fc.oneof(
  { weight: 6, arbitrary: remembered },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('flush' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('fail' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('restart' as const) }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('pass' as const), ms: fc.integer({ min: 1, max: 4000 }) }),
  },
);

/** What the table tells of a pool against what its leases, looked at one by one, tell. */
function compare(table: LeaseTable, pool: Pool, nowMs: number): void {
  const naive = new FakeLeases(...table.all());
  for (const from of [pool.first, pool.first + 1, (pool.first + pool.last) >> 1, pool.last])
    assert.equal(table.unusedIn(pool, from), naive.unusedIn(pool, from), `unused from ${from}`);
  const [ours, theirs] = [table.longestFreeIn(pool, nowMs), naive.longestFreeIn(pool, nowMs)];
  // Of two that ended together either will do.
  assert.equal(ours?.expiresAtMs, theirs?.expiresAtMs, 'the longest free');
  if (ours) {
    const number = ipv4ToNumber(ours.address);
    assert.ok(number >= pool.first && number <= pool.last && !pool.isBarred(number), ours.address);
    assert.equal(table.at(ours.address), ours);
  }
}

function compareCounts(table: LeaseTable, nowMs: number): void {
  const naive = new FakeLeases(...table.all());
  for (const name of ['a', 'b'])
    for (const most of [1, 2, 3]) {
      const origin = { segment: 'seg', kind: 'relay', name } as const;
      assert.equal(table.isFull(origin, most, nowMs), naive.isFull(origin, most, nowMs), `${name} ${most}`);
      // A count holds for a second.
      nowMs += 2000;
    }
}

describe('whatever happens to leases', () => {
  test('the index of a pool tells what they tell one by one', () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 80, size: 'max' }), (events) => {
        const log = new FakeLeaseLog();
        let table = new LeaseTable(log);
        let nowMs = NOW_MS;
        for (const [at, each] of events.entries()) {
          if (each.kind === 'remember') {
            const { address, mac, state, lastsMs, relay } = each;
            const lease = leaseWith({ address, mac, state, expiresAtMs: nowMs + lastsMs });
            table.remember(relay === undefined ? lease : { ...lease, relay });
          } else if (each.kind === 'pass') nowMs += each.ms;
          else if (each.kind === 'restart') table = new LeaseTable(log);
          else {
            log.isBroken = each.kind === 'fail';
            try {
              table.flush();
            } catch (error) {
              assert.match(String(error), /ENOSPC/);
            }
          }
          const served = [site, sameSite, widerSite][at % 5 === 4 ? 2 : at % 2];
          for (const pool of served?.pools ?? []) compare(table, pool, nowMs);
        }
      }),
      { numRuns: 300 },
    );
  });

  test('the leases of a relay are as many as there are one by one', () => {
    fc.assert(
      fc.property(fc.array(remembered, { maxLength: 40, size: 'max' }), (leases) => {
        const table = new LeaseTable(new FakeLeaseLog());
        for (const { address, mac, state, lastsMs, relay } of leases) {
          const lease = leaseWith({ address, mac, state, expiresAtMs: NOW_MS + lastsMs });
          table.remember(relay === undefined ? lease : { ...lease, relay });
        }
        table.flush();
        compareCounts(table, NOW_MS);
      }),
      { numRuns: 300 },
    );
  });
});
