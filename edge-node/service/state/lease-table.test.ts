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

describe('a committed lease', () => {
  test('is seen at once, and durable when the promise resolves', async () => {
    const { log, table } = tableOf();
    const done = table.commit(leaseWith());
    assert.deepEqual(table.at(A), leaseWith());
    assert.deepEqual(table.ofMac('seg', MAC), leaseWith());
    assert.equal(table.ofMac('other', MAC), undefined);
    assert.equal(log.written.size, 0);
    await done;
    assert.deepEqual(log.written.get(A), leaseWith());
  });

  test('is not written as long as it is but an offer', async () => {
    const { log, table } = tableOf();
    await table.commit(leaseWith({ state: 'offered' }));
    assert.equal(log.written.size, 0);
    assert.equal(table.at(A)?.state, 'offered');
  });

  test('for another address ends the offer of the one before', async () => {
    const { table } = tableOf();
    await table.commit(leaseWith({ state: 'offered' }));
    await table.commit(leaseWith({ address: B }));
    assert.equal(table.at(A), undefined);
    assert.equal(table.size, 1);
  });

  test('for another address does not end the lease of the one before', async () => {
    const { table } = tableOf(leaseWith());
    await table.commit(leaseWith({ address: B }));
    assert.deepEqual(table.at(A), leaseWith());
    assert.equal(table.ofMac('seg', MAC)?.address, B);
  });

  test('takes the address and its affinity from whoever had it', async () => {
    const { table } = tableOf(leaseWith({ expiresAtMs: NOW_MS - 1 }));
    await table.commit(leaseWith({ mac: OTHER_MAC }));
    assert.equal(table.at(A)?.mac, OTHER_MAC);
    assert.equal(table.ofMac('seg', MAC), undefined);
  });

  test('that is declined is affinity for nobody', async () => {
    const { table } = tableOf(leaseWith());
    await table.commit(leaseWith({ state: 'declined' }));
    assert.equal(table.ofMac('seg', MAC), undefined);
    assert.equal(table.at(A)?.state, 'declined');
  });
});

describe('a lease that the disk does not take', () => {
  test('was never there', async () => {
    const { log, table } = tableOf();
    log.isBroken = true;
    await assert.rejects(table.commit(leaseWith()), /ENOSPC/);
    assert.equal(table.at(A), undefined);
    assert.equal(table.ofMac('seg', MAC), undefined);
  });

  test('leaves the one before, and whose it was', async () => {
    const before = leaseWith({ expiresAtMs: NOW_MS - 1 });
    const { log, table } = tableOf(before);
    log.isBroken = true;
    await assert.rejects(table.commit(leaseWith({ mac: OTHER_MAC })));
    assert.deepEqual(table.at(A), before);
    assert.deepEqual(table.ofMac('seg', MAC), before);
    assert.equal(table.ofMac('seg', OTHER_MAC), undefined);
  });

  test('leaves the machine the address that it had', async () => {
    const { log, table } = tableOf(leaseWith());
    log.isBroken = true;
    await assert.rejects(table.commit(leaseWith({ address: B })));
    assert.deepEqual(table.ofMac('seg', MAC), leaseWith());
    assert.equal(table.at(B), undefined);
  });

  test('does not bring an older one back over what was decided since', async () => {
    const { log, table } = tableOf(leaseWith({ expiresAtMs: 1 }));
    const gate = Promise.withResolvers<void>();
    log.gate = gate.promise;
    log.isBroken = true;
    const failing = table.commit(leaseWith({ expiresAtMs: 2 }));
    await table.commit(leaseWith({ state: 'offered', expiresAtMs: 3 }));
    gate.resolve();
    await assert.rejects(failing);
    assert.equal(table.at(A)?.expiresAtMs, 3);
  });

  test('does not take from the one before what that was offered since', async () => {
    const { log, table } = tableOf(leaseWith({ expiresAtMs: NOW_MS - 1 }));
    const gate = Promise.withResolvers<void>();
    log.gate = gate.promise;
    log.isBroken = true;
    const failing = table.commit(leaseWith({ mac: OTHER_MAC }));
    await table.commit(leaseWith({ address: B, state: 'offered' }));
    gate.resolve();
    await assert.rejects(failing);
    assert.equal(table.ofMac('seg', MAC)?.address, B);
    assert.equal(table.at(B)?.state, 'offered');
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
      assert.equal(table.size, 2);
    });

  test('hold no affinity with what was declined', () => {
    const { table } = tableOf(older, { ...newer, state: 'declined' });
    assert.deepEqual(table.ofMac('seg', MAC), older);
    assert.equal(table.at(B)?.state, 'declined');
  });
});
