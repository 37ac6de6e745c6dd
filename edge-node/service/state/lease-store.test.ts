import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempDisposable } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { leaseWith, MAC, OTHER_MAC } from '../decide/testing/world.ts';
import { DiskReserve } from './disk-reserve.ts';
import { LeaseStore } from './lease-store.ts';
import { LeaseTable } from './lease-table.ts';

const WRITER = fileURLToPath(new URL('../testing/lease-writer.ts', import.meta.url));
const MIB = 1024 * 1024;
const KILLS = 20;

const temporary = () => mkdtempDisposable(join(tmpdir(), 'bootswarm-leases-'));

test('leases are there after a restart, the last of each address', async () => {
  await using folder = await temporary();
  const store = LeaseStore.open(folder.path);
  const table = new LeaseTable(store);
  table.remember(leaseWith({ expiresAtMs: 1 }));
  table.flush();
  const last = leaseWith({ expiresAtMs: 2, uuid: '11111111-2222-3333-4444-555555555555' });
  table.remember(last);
  table.remember(leaseWith({ address: '10.99.0.102', state: 'offered' }));
  table.flush();
  await store.close();

  const again = LeaseStore.open(folder.path);
  assert.deepEqual([...new LeaseTable(again).all()], [last]);
  await again.close();
});

test('a full disk refuses leases, what is there is served, and room mends it', async () => {
  await using folder = await temporary();
  let freeBytes = 20 * MIB;
  const store = LeaseStore.open(folder.path, new DiskReserve(() => freeBytes));
  const table = new LeaseTable(store);
  table.remember(leaseWith());
  table.flush();
  freeBytes = MIB;
  const refused = leaseWith({ address: '10.99.0.103', mac: OTHER_MAC });
  table.remember(refused);
  assert.throws(() => table.flush(), /all but full/);
  assert.equal(table.at('10.99.0.103'), undefined);
  assert.deepEqual(table.ofMac('seg', MAC), leaseWith());
  freeBytes = 20 * MIB;
  table.remember(refused);
  table.flush();
  assert.deepEqual(table.at('10.99.0.103'), refused);
  await store.close();
});

test(`no lease that was acknowledged is lost by kill -9, ${KILLS} times`, { timeout: 120_000 }, async () => {
  await using folder = await temporary();
  const expected = new Map<string, number>();
  for (let run = 1; run <= KILLS; run++) {
    const writer = spawn(process.execPath, [WRITER, folder.path, String(run)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    // Amid the writing, at another moment each time.
    const killAfter = 1 + ((run * 37) % 120);
    let lines = 0;
    for await (const address of createInterface(writer.stdout)) {
      expected.set(address, run);
      lines += 1;
      if (lines === killAfter) writer.kill('SIGKILL');
    }
    if (writer.exitCode === null && writer.signalCode === null) await once(writer, 'exit');
    assert.equal(writer.signalCode, 'SIGKILL');
  }

  const store = LeaseStore.open(folder.path);
  const table = new LeaseTable(store);
  for (const [address, run] of expected) {
    const lease = table.at(address);
    // A later run may have written it without having the time to say so.
    assert.ok(lease && lease.expiresAtMs >= run, `${address} of run ${run}: ${JSON.stringify(lease)}`);
    assert.equal(lease.mac.endsWith(`:${String(lease.expiresAtMs).padStart(2, '0')}`), true);
  }
  assert.ok(expected.size > 20, `${expected.size} leases`);
  await store.close();
});
