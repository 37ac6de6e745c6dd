import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Segment } from '@bootswarm/controller/contract';
import { allocate } from './allocate.ts';
import type { Lease } from './lease.ts';
import {
  FakeLeases,
  leaseWith,
  MAC,
  NOW_MS,
  OTHER_MAC,
  packetOf,
  poolOf,
  segmentWith,
  situationOf,
} from './testing/world.ts';

const segment = segmentWith({
  pools: [
    { first: '10.99.0.100', last: '10.99.0.104' },
    { first: '10.99.0.200', last: '10.99.0.204' },
  ],
});
const pool = poolOf(segment);
const given = (wanted: string | undefined, ...leases: readonly Lease[]) =>
  addressFor(segment, MAC, wanted, leases);

function addressFor(
  within: Segment,
  mac: string,
  wanted?: string,
  leases: readonly Lease[] = [],
): string | undefined {
  const packet = packetOf('DISCOVER', { mac });
  const situation = situationOf(packet, { segment: within, leases: new FakeLeases(...leases) });
  const allocation = allocate(situation, wanted);
  return allocation.kind === 'address' ? allocation.address : undefined;
}

/** Everybody else's leases on the whole pool, which ended the longer ago the higher the address is. */
const allUsed = pool.map((address, index) =>
  leaseWith({ address, mac: `52:54:00:bb:00:${index + 10}`, expiresAtMs: NOW_MS - 1000 * index }),
);

describe('the address of a machine', () => {
  test('is the one it had, although it asks for another', () => {
    assert.equal(given('10.99.0.102', leaseWith({ expiresAtMs: NOW_MS - 1 })), '10.99.0.101');
    assert.equal(given('10.99.0.102', leaseWith({ state: 'released' })), '10.99.0.101');
  });

  test('is the one it asks for, if it had none', () => {
    assert.equal(given('10.99.0.203'), '10.99.0.203');
  });

  for (const [name, wanted] of [
    ['in no pool', '10.99.0.20'],
    ['in no segment', '192.0.2.1'],
    ['leased to somebody else', '10.99.0.101'],
  ] as const)
    test(`is of the pool, if the one it asks for is ${name}`, () => {
      const address = given(wanted, leaseWith({ mac: OTHER_MAC }));
      assert.ok(address !== undefined && pool.includes(address) && address !== wanted, address);
    });

  test('is another than the one it had, if that has left the pools', () => {
    const address = given(undefined, leaseWith({ address: '10.99.0.20' }));
    assert.ok(address !== undefined && pool.includes(address), address);
  });

  test('is another than the one that it declined', () => {
    assert.notEqual(given('10.99.0.101', leaseWith({ state: 'declined' })), '10.99.0.101');
  });

  test('is the same when the edge has forgotten everything', () => {
    assert.equal(given(undefined), given(undefined));
  });

  test('is one that nobody ever had, before one that somebody had', () => {
    for (const address of pool)
      assert.equal(given(undefined, ...allUsed.filter((lease) => lease.address !== address)), address);
  });

  test('is the one free the longest, if all were used', () => {
    assert.equal(given(undefined, ...allUsed), '10.99.0.204');
  });

  test('is free again when a quarantine has ended, and not before', () => {
    const others = pool.slice(1).map((address) => leaseWith({ address, mac: OTHER_MAC }));
    const declined = leaseWith({ address: '10.99.0.100', state: 'declined' });
    assert.equal(given(undefined, ...others, declined), undefined);
    assert.equal(given(undefined, ...others, { ...declined, expiresAtMs: NOW_MS }), '10.99.0.100');
  });

  test('is none, if every address has a live lease', () => {
    const live = allUsed.map((lease) => ({ ...lease, expiresAtMs: NOW_MS + 1 }));
    assert.equal(given('10.99.0.101', ...live), undefined);
  });
});

test('a delivery of machines with consecutive MACs is spread over the pool', () => {
  const wide = segmentWith({ pools: [{ first: '10.99.0.1', last: '10.99.0.250' }] });
  const addresses = Array.from({ length: 50 }, (_, index) =>
    addressFor(wide, `52:54:00:aa:01:${(index + 16).toString(16)}`),
  );
  assert.ok(new Set(addresses).size > 40, `${new Set(addresses).size} of 50`);
});
