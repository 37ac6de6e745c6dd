import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { DesiredState, JournalRecord } from '@bootswarm/controller/contract';
import { MAC, segmentWith } from '../decide/testing/world.ts';
import { DiskReserve } from './disk-reserve.ts';
import { EdgeStore } from './edge-store.ts';

const MIB = 1024 * 1024;

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
  policy: { options: {}, classes: [] },
  fellows: [],
  machines: [],
  releases: [],
  channels: [],
};
const signed = { payload: JSON.stringify(state), signature: 'of no matter here' };
const credentials = { name: 'edge', token: 'bse_1', controllerKey: 'key' };

/** What `journal` holds, once all of it is durable. */
async function journalOf(store: EdgeStore, records: number): Promise<string[]> {
  for (let tries = 0; tries < 200 && store.oldestJournal(1000).length < records; tries++) await sleep(5);
  return store.oldestJournal(1000).map(({ seq, detail }) => `${seq} ${detail}`);
}

describe('the store of an edge', () => {
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

  test('ends the old desired state with the old credentials, and leaves the journal alone', () =>
    withStore(async (store, reopen) => {
      await store.replaceCredentials(credentials, 'hash 1');
      await store.keepDesiredState(signed);
      store.addToJournal(recordOf('kept'));
      await store.replaceCredentials({ ...credentials, token: 'bse_2' }, 'hash 2');
      const again = await reopen();
      assert.equal(again.credentials()?.token, 'bse_2');
      assert.equal(again.joinedWith(), 'hash 2');
      assert.equal(again.desiredState(), undefined);
      assert.deepEqual(await journalOf(again, 1), ['1 kept']);
    }));
});

test('a disk that is all but full loses the journal first, and then refuses, and room mends it', () =>
  withFolder(async (folder) => {
    const losses: string[] = [];
    let freeBytes = 10 * MIB;
    const store = EdgeStore.open(folder, {
      onLoss: (error) => losses.push(String(error)),
      reserve: new DiskReserve(() => freeBytes),
    });
    store.addToJournal(recordOf('lost'));
    await store.keepDesiredState(signed);
    freeBytes = MIB;
    await assert.rejects(store.keepDesiredState({ ...signed, signature: 'refused' }), /all but full/);
    freeBytes = 20 * MIB;
    store.addToJournal(recordOf('kept'));
    assert.deepEqual(await journalOf(store, 1), ['1 kept']);
    assert.equal(losses.length, 1);
    await store.close();
  }));
