import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import type { JournalRecord } from '@bootswarm/controller/contract';
import { Edges } from '../edges/edges.ts';
import { InterposedStore } from '../testing/interposed-store.ts';
import { takeJournal } from './journal.ts';
import { Machines } from './machines.ts';

const [macA, macB, macC] = ['52:54:00:00:00:0a', '52:54:00:00:00:0b', '52:54:00:00:00:0c'];
const uuid = '4c4c4544-0042-3510-8052-b4c04f4a3232';
const now = new Date('2026-03-02T09:00:00.000Z');
const discovered = { state: 'discovered', stateSince: now.toISOString() };
const live = { kind: 'live', release: 'minimal/1.0/amd64' } as const;

/** The `seq`th record of an edge, a second after the one before. */
function record(seq: number, changes: Partial<JournalRecord> = {}): JournalRecord {
  const at = new Date(Date.UTC(2026, 2, 2, 8, 0, seq)).toISOString();
  return { seq, at, stage: 'offer', mac: macA, netboot: true, detail: `record ${seq}`, ...changes };
}

describe('the journal of an edge', () => {
  let store: InterposedStore;
  let machines: Machines;
  const take = (...records: readonly JournalRecord[]): Promise<number> =>
    takeJournal(store, 'edge1', records, now);

  beforeEach(async () => {
    store = new InterposedStore();
    machines = new Machines(store, async () => ({}));
    const edges = new Edges(store, 'key');
    for (const name of ['edge1', 'edge2']) await edges.add(name, new Date());
  });

  test('makes no machine of an installed system that asks for an address, and keeps what it says of a known one', async () => {
    const { netboot: _, ...asked } = record(1, { stage: 'discover', cause: 'pool_exhausted' });
    assert.equal(await take(asked), 1);
    assert.deepEqual(await machines.list(), []);
    await take(record(2));
    await take({ ...asked, seq: 3 });
    const [machine] = await machines.list();
    assert.equal((await machines.show(machine?.id ?? '')).journal.length, 2);
  });

  test('makes a machine of one that nobody knew', async () => {
    assert.equal(await take(record(1, { segment: 'seg1', address: '10.1.1.100', uuid })), 1);
    const [machine] = await machines.list();
    const { id, ...facts } = machine ?? {};
    assert.match(id ?? '', /^m-[0-9a-f]{10}$/);
    assert.deepEqual(facts, {
      macs: [macA],
      uuid,
      segment: 'seg1',
      address: '10.1.1.100',
      firstSeenAt: record(1).at,
      lastSeenAt: record(1).at,
      ...discovered,
    });
  });

  test('says that a single-use intent is over, and takes nothing of what the operator set', async () => {
    const { id } = await machines.setIntent(macA, live);
    await machines.setVariables(id, { disk: '/dev/sda' });
    const set = await machines.setIntent(id, live);
    await take(record(1, { stage: 'answers', spentEpoch: 2 }), record(2, { stage: 'script', spentEpoch: 1 }));
    const { journal: _, firstSeenAt: __, lastSeenAt: ___, spent, ...kept } = await machines.show(id);
    assert.deepEqual(kept, { ...set, ...discovered, epoch: 2, variables: { disk: '/dev/sda' } });
    assert.deepEqual(spent, { epoch: 2, at: record(1).at, edge: 'edge1', detail: 'record 1' });
  });

  test('of work on disks tells how that stands, and why an epoch failed for good', async () => {
    const { id } = await machines.setIntent(macA, { kind: 'inspect' });
    await take(
      record(1, { stage: 'install', epoch: 1, cause: 'install_failed' }),
      record(2, { stage: 'install', epoch: 1 }),
    );
    assert.equal((await machines.show(id)).work?.state, 'begun');
    await take(record(3, { stage: 'install', epoch: 1, cause: 'install_failed', spentEpoch: 1 }));
    const { work, spent } = await machines.show(id);
    const told = { at: record(3).at, edge: 'edge1', detail: 'record 3', cause: 'install_failed', epoch: 1 };
    assert.deepEqual(work, { ...told, kind: 'install', state: 'failed', isOver: true });
    assert.deepEqual(spent, told);
  });

  test('that comes twice, or overlaps what was taken, is kept once', async () => {
    assert.equal(await take(record(1), record(2)), 2);
    const revision = await store.revision();
    assert.equal(await take(record(1), record(2)), 2);
    assert.equal(await store.revision(), revision);
    assert.equal(await take(record(2), record(3)), 3);
    const { journal } = await machines.show(macA);
    assert.deepEqual(
      journal.map(({ seq }) => seq),
      [3, 2, 1],
    );
  });

  test('brings together what it first saw apart: the UUID that comes later, and a second MAC', async () => {
    await take(record(1), record(2, { stage: 'script', uuid }), record(3, { mac: macB, uuid }));
    const [machine, ...others] = await machines.list();
    assert.deepEqual([machine?.macs, machine?.uuid, others], [[macA, macB], uuid, []]);
  });

  test('finds the machine that an operator registered by its MAC, and keeps its intent', async () => {
    const registered = await machines.setIntent('52-54-00-00-00-0A', live);
    await take(record(1, { uuid }));
    const [machine, ...others] = await machines.list();
    assert.deepEqual([machine?.id, machine?.intent, machine?.uuid, others], [registered.id, live, uuid, []]);
  });

  test('does not believe a UUID that the vendor left unset', async () => {
    const unset = '00000000-0000-0000-0000-000000000000';
    await take(record(1, { uuid: unset }), record(2, { mac: macB, uuid: unset }));
    assert.deepEqual((await machines.list()).map((machine) => [machine.macs, machine.uuid]).toSorted(), [
      [[macA], undefined],
      [[macB], undefined],
    ]);
  });

  test('does not lose an intent that an operator sets meanwhile', async () => {
    await take(record(1));
    store.beforeNextCommit(() => machines.setIntent(macA, live));
    await take(record(2));
    const { intent, journal } = await machines.show(macA);
    assert.deepEqual([intent, journal.length], [live, 2]);
  });

  test('and an intent that is set loses nothing of a journal that comes meanwhile', async () => {
    await take(record(1));
    store.beforeNextCommit(() => take(record(2, { uuid })));
    await machines.setIntent(macA, live);
    const { intent, uuid: kept } = await machines.show(macA);
    assert.deepEqual([intent, kept], [live, uuid]);
  });

  test('of two edges that hear a new machine at once makes one machine', async () => {
    store.beforeNextCommit(() => takeJournal(store, 'edge2', [record(1)]));
    await take(record(1));
    assert.equal((await machines.list()).length, 1);
    assert.deepEqual((await machines.show(macA)).journal.map(({ edge }) => edge).toSorted(), [
      'edge1',
      'edge2',
    ]);
  });

  test('of two edges that hear one UUID at once, at a known and at a new MAC, makes no second machine', async () => {
    await machines.setIntent(macA, live);
    store.beforeNextCommit(() => takeJournal(store, 'edge2', [record(1, { mac: macA, uuid })]));
    await take(record(1, { mac: macB, uuid }));
    const [machine, ...others] = await machines.list();
    assert.deepEqual([machine?.macs, machine?.uuid, others], [[macA, macB], uuid, []]);
  });

  test('of an edge that is not there is refused', async () => {
    await assert.rejects(takeJournal(store, 'edge9', [record(1)]), { code: 'not_found' });
    assert.deepEqual(await machines.list(), []);
  });
});

describe('machines', () => {
  let store: InterposedStore;
  let machines: Machines;

  beforeEach(async () => {
    store = new InterposedStore();
    machines = new Machines(store, async () => ({}));
    await new Edges(store, 'key').add('edge1', new Date());
    await takeJournal(store, 'edge1', [record(1, { uuid })]);
  });

  test('are found by id, UUID and MAC, however they are written', async () => {
    const [machine] = await machines.list();
    for (const key of [
      machine?.id ?? '',
      uuid,
      uuid.toUpperCase(),
      macA,
      macA.toUpperCase().replaceAll(':', '-'),
    ])
      assert.equal((await machines.show(key)).id, machine?.id, key);
    for (const key of ['m-0', macC, '11111111-2222-3333-4444-555555555555', 'server-7'])
      await assert.rejects(machines.show(key), { code: 'not_found' }, key);
  });

  test('a MAC that nobody carries registers a machine; any other unknown name does not', async () => {
    const { id } = await machines.setIntent(macC, live);
    assert.deepEqual(await machines.show(macC), { id, macs: [macC], intent: live, epoch: 1, journal: [] });
    await assert.rejects(machines.setIntent('server-7', live), { code: 'not_found' });
  });

  test('of two who register one MAC at once, the second changes what the first made', async () => {
    store.beforeNextCommit(() => machines.setIntent(macC, { kind: 'local' }));
    const { id } = await machines.setIntent(macC, live);
    const found = (await machines.list()).filter(({ macs }) => macs.includes(macC));
    assert.deepEqual(found, [{ id, macs: [macC], intent: live, epoch: 2 }]);
  });

  test('an intent that names no release is refused', async () => {
    const refusing = new Machines(store, () => Promise.reject(new Error('no such release')));
    await assert.rejects(refusing.setIntent(macC, live), /no such release/);
    await assert.rejects(machines.show(macC), { code: 'not_found' });
  });

  test('a story ends with its newest hundred records', async () => {
    const records = Array.from({ length: 120 }, (_, n) => record(n + 2));
    await takeJournal(store, 'edge1', records);
    const { journal } = await machines.show(macA);
    assert.deepEqual([journal.length, journal[0]?.seq, journal.at(-1)?.seq], [100, 121, 22]);
  });
});
