import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Lease } from '../decide/lease.ts';
import { leaseWith, NOW_MS, OTHER_MAC, segmentWith } from '../decide/testing/world.ts';
import { placeLeases, planImport } from './plan-import.ts';

const filed = ({ segment: _, ...lease }: Lease, segment?: string) => ({
  ...lease,
  where: 'line 7',
  ...(segment === undefined ? {} : { segment }),
});
const segments = [
  segmentWith(),
  segmentWith({
    name: 'far',
    subnet: '10.1.0.0/16',
    pools: [{ first: '10.1.0.5', last: '10.1.0.9' }],
    router: undefined,
  }),
];

const places: readonly (readonly [string, ReturnType<typeof filed>, string | undefined, string | RegExp])[] =
  [
    ['by the subnet', filed(leaseWith()), undefined, 'seg'],
    ['by another subnet', filed(leaseWith({ address: '10.1.255.255' })), undefined, 'far'],
    ['as the file says', filed(leaseWith(), 'old'), undefined, 'old'],
    ['as the operator says, over the file', filed(leaseWith(), 'old'), 'seg', 'seg'],
    ['as the operator says, where this edge has no such segment yet', filed(leaseWith()), 'new', 'new'],
    ['nowhere', filed(leaseWith({ address: '192.0.2.1' })), undefined, /192\.0\.2\.1 is in no segment/],
    ['outside of what the operator said', filed(leaseWith()), 'far', /not in the subnet of segment far/],
  ];
for (const [name, lease, named, expected] of places)
  test(`a lease is placed ${name}`, () => {
    const { leases, wrong } = placeLeases([lease], { segments, named });
    if (typeof expected === 'string') {
      assert.deepEqual(leases, [{ ...leaseWith({ address: lease.address }), segment: expected }]);
      assert.deepEqual(wrong, []);
    } else {
      assert.deepEqual(leases, []);
      assert.equal(wrong[0]?.where, 'line 7');
      assert.match(wrong[0]?.reason ?? '', expected);
    }
  });

const ENDED = { expiresAtMs: NOW_MS };
const other = { mac: OTHER_MAC };
type Outcome = 'written' | 'unchanged' | 'stays' | 'conflict';
const plans: readonly (readonly [string, Lease | undefined, Lease, Outcome])[] = [
  ['where nobody had the address', undefined, leaseWith(), 'written'],
  ['an ended one, where nobody had the address', undefined, leaseWith(ENDED), 'written'],
  ['as it is there', leaseWith(), leaseWith(), 'unchanged'],
  ['over an ended one', leaseWith({ ...other, ...ENDED }), leaseWith(), 'written'],
  ['that ends later', leaseWith(), leaseWith({ expiresAtMs: NOW_MS + 2000 }), 'written'],
  [
    'that ends earlier than its machine was told',
    leaseWith(),
    leaseWith({ expiresAtMs: NOW_MS + 1 }),
    'stays',
  ],
  ['that tells a UUID', leaseWith(), leaseWith({ uuid: '11111111-2222-3333-4444-555555555555' }), 'written'],
  ['of another machine', leaseWith(), leaseWith(other), 'conflict'],
  ['of another machine, ended', leaseWith(), leaseWith({ ...other, ...ENDED }), 'stays'],
  ['released, of its own machine', leaseWith(), leaseWith({ state: 'released', ...ENDED }), 'stays'],
  ['in quarantine, of its own machine', leaseWith(), leaseWith({ state: 'declined' }), 'conflict'],
  ['of an address in quarantine', leaseWith({ state: 'declined' }), leaseWith(), 'conflict'],
];
for (const [name, here, lease, outcome] of plans)
  for (const force of [false, true])
    test(`a lease is imported ${name}${force ? ', by force' : ''}: ${outcome}`, () => {
      const plan = planImport([lease], { at: () => here, nowMs: NOW_MS, force });
      assert.deepEqual(plan, {
        write: outcome === 'written' || (outcome === 'conflict' && force) ? [lease] : [],
        unchanged: outcome === 'unchanged' ? 1 : 0,
        stays: outcome === 'stays' ? 1 : 0,
        conflicts: outcome === 'conflict' ? [{ live: here, imported: lease }] : [],
      });
    });
