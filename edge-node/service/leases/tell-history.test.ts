import assert from 'node:assert/strict';
import { test } from 'node:test';
import { leaseWith, MAC, NOW_MS, OTHER_MAC } from '../decide/testing/world.ts';
import type { LeaseChange } from '../state/lease-history.ts';
import { tellHistory } from './tell-history.ts';

const UUID = '11111111-2222-3333-4444-555555555555';
const changeWith = (facts: Partial<LeaseChange>): LeaseChange => ({
  atMs: NOW_MS,
  address: '10.99.0.101',
  segment: 'seg',
  mac: MAC,
  what: 'given',
  expiresAtMs: NOW_MS + 1000,
  ...facts,
});
/** Given to one machine, which let it run out; given to another, which released it; and then to the first again. */
const written = [
  changeWith({}),
  changeWith({ atMs: NOW_MS + 2, address: '10.99.0.102', mac: OTHER_MAC, uuid: UUID }),
  changeWith({ atMs: NOW_MS + 1000, what: 'ended' }),
  changeWith({ atMs: NOW_MS + 5000, mac: OTHER_MAC, expiresAtMs: NOW_MS + 6000 }),
  changeWith({ atMs: NOW_MS + 5500, mac: OTHER_MAC, what: 'released' }),
  changeWith({ atMs: NOW_MS + 6000, expiresAtMs: NOW_MS + 7000 }),
];
const told = (of?: string, limit = 100, leases = [leaseWith({ expiresAtMs: NOW_MS + 9000 })]) =>
  tellHistory(written, leases, { of, limit }).map(({ atMs, address, what, untilMs }) => [
    atMs - NOW_MS,
    address.slice(-3),
    what,
    untilMs === undefined ? undefined : untilMs - NOW_MS,
  ]);

test('the history of a machine tells what it was given, until when it had it, and its last renewal', () => {
  assert.deepEqual(told(MAC), [
    [0, '101', 'given', 1000],
    [1000, '101', 'ended', undefined],
    [6000, '101', 'given', 9000],
  ]);
});

test('the history of an address tells who had it', () => {
  assert.deepEqual(
    told('10.99.0.101').map(([at]) => at),
    [0, 1000, 5000, 5500, 6000],
  );
  assert.deepEqual(told('10.99.0.102'), [[2, '102', 'given', 1000]]);
  assert.deepEqual(told(UUID), [[2, '102', 'given', 1000]]);
  assert.deepEqual(told('10.99.0.103'), []);
});

test('the newest are told, in the order of time', () => {
  assert.deepEqual(
    told(undefined, 2).map(([at]) => at),
    [5500, 6000],
  );
  const late = [
    changeWith({ atMs: NOW_MS + 500, address: '10.99.0.102' }),
    changeWith({ atMs: NOW_MS, what: 'ended' }),
  ];
  assert.deepEqual(
    tellHistory(late, [], { of: undefined, limit: 2 }).map(({ what }) => what),
    ['ended', 'given'],
  );
});

test("a lease of somebody else's now extends nothing", () => {
  assert.deepEqual(told(MAC, 1, [leaseWith({ mac: OTHER_MAC, expiresAtMs: NOW_MS + 9000 })]), [
    [6000, '101', 'given', 7000],
  ]);
});
