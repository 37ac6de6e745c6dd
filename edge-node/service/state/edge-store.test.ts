import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { DesiredState, JournalRecord } from '@bootswarm/controller/contract';
import { leaseWith, MAC, OTHER_MAC, segmentWith } from '../decide/testing/world.ts';
import { EdgeStore } from './edge-store.ts';
import { LeaseTable } from './lease-table.ts';

const WRITER = fileURLToPath(new URL('../testing/lease-writer.ts', import.meta.url));
const MIB = 1024 * 1024;
const KILLS = 20;

function open(folder: string): EdgeStore {
  return EdgeStore.open(folder, { onLoss: (error) => assert.fail(String(error)) });
}

async function withFolder(run: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'bootswarm-edge-'));
  try {
    await run(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

function withStore(run: (store: EdgeStore, reopen: () => Promise<EdgeStore>) => Promise<void>) {
  return withFolder(async (folder) => {
    let store = open(folder);
    const reopen = async (): Promise<EdgeStore> => {
      await store.close();
      store = open(folder);
      return store;
    };
    try {
      await run(store, reopen);
    } finally {
      await store.close();
    }
  });
}

const recordOf = (detail: string): Omit<JournalRecord, 'seq'> => ({
  at: '2026-01-01T00:00:00.000Z',
  stage: 'offer',
  mac: MAC,
  detail,
});
const state: DesiredState = {
  format: 1,
  edge: 'edge',
  revision: 7,
  segments: [segmentWith()],
  machines: [],
  releases: [],
};
const signed = { payload: JSON.stringify(state), signature: 'of no matter here' };
const credentials = { name: 'edge', token: 'bse_1', controllerKey: 'key' };

/** What `journal` holds, once all of it is durable. */
async function journalOf(store: EdgeStore, records: number): Promise<string[]> {
  for (let tries = 0; tries < 200 && store.oldestJournal(1000).length < records; tries++) await sleep(5);
  return store.oldestJournal(1000).map(({ seq, detail }) => `${seq} ${detail}`);
}

describe('the store of an edge', () => {
  test('gives leases back after a restart, the last of each address', () =>
    withStore(async (store, reopen) => {
      const table = new LeaseTable(store.leases);
      await table.commit(leaseWith({ expiresAtMs: 1 }));
      await table.commit(leaseWith({ expiresAtMs: 2, uuid: '11111111-2222-3333-4444-555555555555' }));
      await table.commit(leaseWith({ address: '10.99.0.102', state: 'offered' }));
      const again = new LeaseTable((await reopen()).leases);
      assert.deepEqual(
        again.at('10.99.0.101'),
        leaseWith({ expiresAtMs: 2, uuid: '11111111-2222-3333-4444-555555555555' }),
      );
      assert.equal(again.size, 1);
    }));

  test('lists the journal in order, and forgets what the controller holds, and no number comes twice', () =>
    withStore(async (store, reopen) => {
      for (let number = 1; number <= 12; number++) store.addToJournal(recordOf(`record ${number}`));
      assert.equal((await journalOf(store, 12)).at(-1), '12 record 12');
      assert.deepEqual(
        store.oldestJournal(2).map(({ seq }) => seq),
        [1, 2],
      );
      await store.forgetJournal(11);
      assert.deepEqual(await journalOf(store, 1), ['12 record 12']);
      await store.forgetJournal(12);
      const again = await reopen();
      again.addToJournal(recordOf('after the restart'));
      assert.deepEqual(await journalOf(again, 1), ['13 after the restart']);
    }));

  test('takes no journal record while it closes, and does not fail', () =>
    withFolder(async (folder) => {
      const store = open(folder);
      store.addToJournal(recordOf('in time'));
      const closed = store.close();
      store.addToJournal(recordOf('too late'));
      await closed;
      store.addToJournal(recordOf('much too late'));
      const again = open(folder);
      assert.deepEqual(await journalOf(again, 1), ['1 in time']);
      await again.close();
    }));

  test('keeps the last good desired state', () =>
    withStore(async (store, reopen) => {
      assert.equal(store.desiredState(), undefined);
      await store.keepDesiredState(signed);
      assert.deepEqual((await reopen()).desiredState(), state);
    }));

  test('has no desired state where another version left one that this one cannot read', () =>
    withStore(async (store) => {
      await store.keepDesiredState({ ...signed, payload: JSON.stringify({ ...state, format: 2 }) });
      assert.equal(store.desiredState(), undefined);
    }));

  test('ends the old desired state with the old credentials, and leaves leases and journal alone', () =>
    withStore(async (store, reopen) => {
      await store.replaceCredentials(credentials, 'hash 1');
      await store.keepDesiredState(signed);
      await new LeaseTable(store.leases).commit(leaseWith());
      store.addToJournal(recordOf('kept'));
      await store.replaceCredentials({ ...credentials, token: 'bse_2' }, 'hash 2');
      const again = await reopen();
      assert.equal(again.credentials()?.token, 'bse_2');
      assert.equal(again.joinedWith(), 'hash 2');
      assert.equal(again.desiredState(), undefined);
      assert.equal(new LeaseTable(again.leases).size, 1);
      assert.deepEqual(await journalOf(again, 1), ['1 kept']);
    }));
});

test('a full disk refuses leases and drops the journal, what is there is served, and room mends it', () =>
  withFolder(async (folder) => {
    const losses: string[] = [];
    let freeBytes = 20 * MIB;
    const store = EdgeStore.open(folder, {
      onLoss: (error) => losses.push(String(error)),
      freeBytes: () => freeBytes,
    });
    const table = new LeaseTable(store.leases);
    await table.commit(leaseWith());
    // The journal gives way first.
    freeBytes = 10 * MIB;
    store.addToJournal(recordOf('lost'));
    await table.commit(leaseWith({ address: '10.99.0.102', mac: OTHER_MAC }));
    freeBytes = MIB;
    const refused = leaseWith({ address: '10.99.0.103' });
    await assert.rejects(table.commit(refused), /all but full/);
    assert.equal(table.at('10.99.0.103'), undefined);
    assert.deepEqual(table.ofMac('seg', MAC), leaseWith());
    freeBytes = 20 * MIB;
    await table.commit(refused);
    store.addToJournal(recordOf('kept'));
    assert.deepEqual(await journalOf(store, 1), ['1 kept']);
    assert.equal(losses.length, 1);
    await store.close();
  }));

test(`no lease that was acknowledged is lost by kill -9, ${KILLS} times`, { timeout: 120_000 }, () =>
  withFolder(async (folder) => {
    const expected = new Map<string, number>();
    for (let run = 1; run <= KILLS; run++) {
      const writer = spawn(process.execPath, [WRITER, folder, String(run)], {
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

    const store = open(folder);
    const table = new LeaseTable(store.leases);
    for (const [address, run] of expected) {
      const lease = table.at(address);
      // A later run may have written it without having the time to say so.
      assert.ok(lease && lease.expiresAtMs >= run, `${address} of run ${run}: ${JSON.stringify(lease)}`);
      assert.equal(lease.mac.endsWith(`:${String(lease.expiresAtMs).padStart(2, '0')}`), true);
    }
    assert.ok(expected.size > 20, `${expected.size} leases`);
    await store.close();
  }),
);
