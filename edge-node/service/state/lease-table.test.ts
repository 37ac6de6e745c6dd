import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Lease } from '../decide/lease.ts';
import { leaseWith, MAC, NOW_MS, OTHER_MAC } from '../decide/testing/world.ts';
import { FakeLeaseLog } from '../testing/fake-lease-log.ts';
import { LeaseTable } from './lease-table.ts';

const A = '10.99.0.101';
const B = '10.99.0.102';

function tableOf(...leases: readonly Lease[]) {
  const log = new FakeLeaseLog(...leases);
  return { log, table: new LeaseTable(log) };
}

/** Remembers and makes durable, as a round of one would. */
function keep(table: LeaseTable, ...leases: readonly Lease[]): void {
  for (const lease of leases) table.remember(lease);
  table.flush();
}

describe('a lease', () => {
  test('is seen as soon as it is remembered, and durable when it is flushed', () => {
    const { log, table } = tableOf();
    table.remember(leaseWith());
    assert.deepEqual(table.at(A), leaseWith());
    assert.deepEqual(table.ofMac('seg', MAC), leaseWith());
    assert.equal(table.ofMac('other', MAC), undefined);
    assert.equal(log.written.size, 0);
    table.flush();
    assert.deepEqual(log.written.get(A), leaseWith());
  });

  test('is written once, with all others of its round', () => {
    const { log, table } = tableOf();
    keep(table, leaseWith(), leaseWith({ address: B, mac: OTHER_MAC }));
    table.flush();
    assert.equal(log.writes, 1);
    assert.equal(log.written.size, 2);
  });

  test('is not written as long as it is but an offer', () => {
    const { log, table } = tableOf();
    keep(table, leaseWith({ state: 'offered' }));
    assert.equal(log.writes, 0);
    assert.equal(table.at(A)?.state, 'offered');
  });

  test('for another address ends the offer of the one before', () => {
    const { table } = tableOf();
    keep(table, leaseWith({ state: 'offered' }), leaseWith({ address: B }));
    assert.deepEqual([...table.all()], [leaseWith({ address: B })]);
  });

  test('for another address does not end the lease of the one before', () => {
    const { table } = tableOf(leaseWith());
    keep(table, leaseWith({ address: B }));
    assert.deepEqual(table.at(A), leaseWith());
    assert.equal(table.ofMac('seg', MAC)?.address, B);
  });

  test('takes the address and its affinity from whoever had it', () => {
    const { table } = tableOf(leaseWith({ expiresAtMs: NOW_MS - 1 }));
    keep(table, leaseWith({ mac: OTHER_MAC }));
    assert.equal(table.at(A)?.mac, OTHER_MAC);
    assert.equal(table.ofMac('seg', MAC), undefined);
  });

  test('that is declined is affinity for nobody', () => {
    const { table } = tableOf(leaseWith());
    keep(table, leaseWith({ state: 'declined' }));
    assert.equal(table.ofMac('seg', MAC), undefined);
    assert.equal(table.at(A)?.state, 'declined');
  });
});

describe('a round that the disk does not take', () => {
  const cases: readonly (readonly [name: string, before: readonly Lease[], round: readonly Lease[]])[] = [
    ['was never there', [], [leaseWith()]],
    ['leaves a renewed lease as it was', [leaseWith()], [leaseWith({ expiresAtMs: NOW_MS + 9 })]],
    ['leaves the one before, and whose it was', [leaseWith()], [leaseWith({ mac: OTHER_MAC })]],
    ['leaves the machine the address that it had', [leaseWith()], [leaseWith({ address: B })]],
    ['takes a quarantine back', [leaseWith()], [leaseWith({ state: 'declined' })]],
    [
      'takes all of it back, the offers in it too',
      [leaseWith()],
      [
        leaseWith({ state: 'released', expiresAtMs: 1 }),
        leaseWith({ mac: OTHER_MAC, state: 'offered' }),
        leaseWith({ mac: OTHER_MAC }),
        leaseWith({ address: B, state: 'offered' }),
        leaseWith({ address: B }),
      ],
    ],
    [
      'gives back what two machines exchanged',
      [leaseWith(), leaseWith({ address: B, mac: OTHER_MAC })],
      [leaseWith({ address: B }), leaseWith({ mac: OTHER_MAC })],
    ],
  ];
  for (const [name, before, round] of cases)
    test(name, () => {
      const { log, table } = tableOf(...before);
      log.isBroken = true;
      assert.throws(() => keep(table, ...round), /ENOSPC/);
      const byAddress = (leases: Iterable<Lease>) =>
        [...leases].toSorted((a, b) => a.address.localeCompare(b.address));
      assert.deepEqual(byAddress(table.all()), before);
      for (const mac of [MAC, OTHER_MAC])
        assert.deepEqual(
          table.ofMac('seg', mac),
          before.find((lease) => lease.mac === mac),
        );
      // And it is over: the next round is written without it.
      log.isBroken = false;
      table.flush();
      assert.equal(log.writes, 0);
    });
});

describe('the leases of an edge that starts', () => {
  const older = leaseWith({ expiresAtMs: NOW_MS + 1 });
  const newer = leaseWith({ address: B, expiresAtMs: NOW_MS + 2 });
  for (const [name, leases] of [
    ['oldest first', [older, newer]],
    ['newest first', [newer, older]],
  ] as const)
    test(`of a machine with two, the one that lives longest is its own: ${name}`, () => {
      const { table } = tableOf(...leases);
      assert.deepEqual(table.ofMac('seg', MAC), newer);
      assert.deepEqual(table.at(A), older);
      assert.equal([...table.all()].length, 2);
    });

  test('hold no affinity with what was declined', () => {
    const { table } = tableOf(older, { ...newer, state: 'declined' });
    assert.deepEqual(table.ofMac('seg', MAC), older);
    assert.equal(table.at(B)?.state, 'declined');
  });
});
