import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Lease } from '../decide/lease.ts';
import { leaseWith, MAC, NOW_MS, OTHER_MAC } from '../decide/testing/world.ts';
import { changeOf, changesOf, rowOf } from './lease-history.ts';

const UUID = '11111111-2222-3333-4444-555555555555';
const LIVE = leaseWith();
const ENDED = leaseWith({ expiresAtMs: NOW_MS - 5 });
const other = { mac: OTHER_MAC, expiresAtMs: NOW_MS + 2000 };

/** Name, what was there, what takes its place, and the history in it: what, whose, when. */
const cases: readonly (readonly [
  string,
  Lease | undefined,
  Lease,
  readonly (readonly [string, string, number])[],
])[] = [
  ['the first lease of an address', undefined, LIVE, [['given', MAC, 0]]],
  ['a renewal', LIVE, leaseWith({ expiresAtMs: NOW_MS + 9000 }), []],
  [
    'the same machine after its lease ended',
    ENDED,
    LIVE,
    [
      ['ended', MAC, -5],
      ['given', MAC, 0],
    ],
  ],
  [
    'another machine after the lease ended',
    ENDED,
    leaseWith(other),
    [
      ['ended', MAC, -5],
      ['given', OTHER_MAC, 0],
    ],
  ],
  [
    'another card that the address is reserved for',
    LIVE,
    leaseWith(other),
    [
      ['ended', MAC, 0],
      ['given', OTHER_MAC, 0],
    ],
  ],
  ['a release', LIVE, leaseWith({ state: 'released', expiresAtMs: NOW_MS }), [['released', MAC, 0]]],
  ['a release of what has ended', ENDED, leaseWith({ state: 'released', expiresAtMs: NOW_MS }), []],
  ['a released address, given again', leaseWith({ state: 'released' }), LIVE, [['given', MAC, 0]]],
  ['an address declined by its holder', LIVE, leaseWith({ state: 'declined' }), [['declined', MAC, 0]]],
  ['an offer that was declined', undefined, leaseWith({ state: 'declined' }), [['declined', MAC, 0]]],
  [
    'an address that the next machine declined',
    ENDED,
    leaseWith({ ...other, state: 'declined' }),
    [
      ['ended', MAC, -5],
      ['declined', OTHER_MAC, 0],
    ],
  ],
  ['an offer', undefined, leaseWith({ state: 'offered' }), []],
];
for (const [name, before, after, expected] of cases)
  test(`history of ${name}`, () => {
    assert.deepEqual(
      changesOf(before, after, NOW_MS).map(({ what, mac, atMs }) => [what, mac, atMs - NOW_MS]),
      expected,
    );
  });

test('a change is kept with all it tells', () => {
  const [given] = changesOf(undefined, leaseWith({ uuid: UUID }), NOW_MS);
  assert.deepEqual(given, {
    atMs: NOW_MS,
    address: '10.99.0.101',
    segment: 'seg',
    mac: MAC,
    uuid: UUID,
    what: 'given',
    expiresAtMs: NOW_MS + 1000,
  });
  const [released] = changesOf(LIVE, leaseWith({ state: 'released' }), NOW_MS);
  for (const change of [given, released])
    assert.deepEqual(change && changeOf(JSON.parse(JSON.stringify(rowOf(change)))), change);
});
