import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempDisposable, readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { open } from 'lmdb';
import { FOREVER_MS, type Lease } from '../decide/lease.ts';
import { leaseWith, MAC, NOW_MS, OTHER_MAC } from '../decide/testing/world.ts';
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
  const store = LeaseStore.open(folder.path, { reserve: new DiskReserve(() => freeBytes) });
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

test('leases go with a clock that is set, over a restart, and it is no history', async () => {
  await using folder = await temporary();
  const store = LeaseStore.open(folder.path);
  const bootp = leaseWith({ address: '10.99.0.102', mac: OTHER_MAC, expiresAtMs: FOREVER_MS });
  store.writeAll([leaseWith({ expiresAtMs: NOW_MS + 5000 }), bootp], NOW_MS);
  const table = new LeaseTable(store);
  const setMs = -20 * 365 * 24 * 3_600_000;
  table.remember(leaseWith({ address: '10.99.0.103', mac: '52:54:00:00:00:99', state: 'offered' }));
  const shifted = table.shift(setMs);
  table.rewrite(shifted);
  assert.deepEqual(
    shifted.map(({ expiresAtMs }) => expiresAtMs),
    [NOW_MS + 5000 + setMs, FOREVER_MS],
  );
  await store.close();
  const kept = await LeaseStore.read(folder.path);
  assert.deepEqual(
    kept?.leases.map(({ expiresAtMs }) => expiresAtMs),
    [NOW_MS + 5000 + setMs, FOREVER_MS],
  );
  assert.equal(kept?.history.length, 2);
});

test('history is kept with the leases: what they gave and took, over a restart, and no renewal', async () => {
  await using folder = await temporary();
  const store = LeaseStore.open(folder.path);
  store.writeAll([leaseWith(), leaseWith({ address: '10.99.0.102', mac: OTHER_MAC })], NOW_MS);
  store.writeAll([leaseWith({ expiresAtMs: NOW_MS + 5000 })], NOW_MS + 500);
  await store.close();

  const again = LeaseStore.open(folder.path);
  again.writeAll([leaseWith({ expiresAtMs: NOW_MS + 6000 })], NOW_MS + 900);
  again.writeAll([leaseWith({ state: 'released', expiresAtMs: NOW_MS + 1000 })], NOW_MS + 1000);
  const kept = await LeaseStore.read(folder.path);
  await again.close();
  assert.deepEqual(
    kept?.history.map(({ what, address, atMs }) => [what, address, atMs - NOW_MS]),
    [
      ['given', '10.99.0.101', 0],
      ['given', '10.99.0.102', 0],
      ['released', '10.99.0.101', 1000],
    ],
  );
  assert.deepEqual(
    kept?.leases.map(({ address, state }) => [address, state]),
    [
      ['10.99.0.101', 'released'],
      ['10.99.0.102', 'bound'],
    ],
  );
});

test('the newest of the history are kept, and little more, over restarts and in rounds of any size', async () => {
  await using folder = await temporary();
  const MOST = 200;
  let written = 0;
  for (const round of [1, 7, 300, 1, 2500, 3]) {
    const store = LeaseStore.open(folder.path, { historyMost: MOST });
    const untilMs = written + Math.max(3 * round, 400);
    while (written < untilMs) {
      const leases = Array.from({ length: round }, (_, lane) =>
        leaseWith({ address: `10.99.${lane >> 8}.${lane & 255}`, expiresAtMs: written + lane }),
      );
      // Each lease has ended before the next: two changes of all but the first of an address.
      store.writeAll(leases, written + round);
      written += round;
    }
    await store.close();
    const history = (await LeaseStore.read(folder.path))?.history ?? [];
    assert.ok(history.length >= Math.min(MOST, written), `${history.length} after ${written}`);
    assert.ok(history.length < MOST + 2 * 1024, `${history.length} after ${written}`);
    assert.equal(history.at(-1)?.atMs, written);
  }
});

test('a commit that fails leaves no trace in the history, and the next tells what is so', async () => {
  await using folder = await temporary();
  const store = LeaseStore.open(folder.path);
  store.writeAll([leaseWith()], NOW_MS);
  const broken = { ...leaseWith({ address: '10.99.0.103' }), toJSON: () => assert.fail('the disk') };
  assert.throws(() => store.writeAll([leaseWith({ mac: OTHER_MAC }), broken], NOW_MS + 1), /the disk/);
  store.writeAll([leaseWith({ expiresAtMs: NOW_MS + 2000 })], NOW_MS + 2);
  await store.close();
  const kept = await LeaseStore.read(folder.path);
  assert.deepEqual(
    kept?.history.map(({ what, mac }) => [what, mac]),
    [['given', MAC]],
  );
  assert.deepEqual(kept?.leases, [leaseWith({ expiresAtMs: NOW_MS + 2000 })]);
});

test('leases of the version before the history load, and get one', async () => {
  await using folder = await temporary();
  const before = open<Lease, string>({ path: folder.path, encoding: 'json', overlappingSync: false });
  before.transactionSync(() => before.putSync('10.99.0.101', leaseWith()));
  await before.close();
  assert.deepEqual(await LeaseStore.read(folder.path), { leases: [leaseWith()], history: [] });

  const store = LeaseStore.open(folder.path);
  assert.deepEqual([...new LeaseTable(store).all()], [leaseWith()]);
  store.writeAll([leaseWith({ state: 'released' })], NOW_MS);
  await store.close();
  const kept = await LeaseStore.read(folder.path);
  assert.deepEqual(
    kept?.history.map(({ what }) => what),
    ['released'],
  );
  assert.equal(kept?.leases.length, 1);
});

test('where no edge ever leased anything there is nothing to read, and nothing is made', async () => {
  await using folder = await temporary();
  assert.equal(await LeaseStore.read(join(folder.path, 'leases')), undefined);
  assert.deepEqual(await readdir(folder.path), []);
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
  // Lease and history are of one commit: neither is there without the other.
  const kept = await LeaseStore.read(folder.path);
  const given = kept?.history.filter(({ what }) => what === 'given') ?? [];
  const lastGiven = new Map(given.map(({ address, mac }) => [address, mac]));
  assert.deepEqual(lastGiven, new Map(kept?.leases.map(({ address, mac }) => [address, mac])));
});
