import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { endpoints, type JournalRecord } from '@bootswarm/controller/contract';
import { Edges } from '../edges/edges.ts';
import type { Entry, Page } from '../store/state-store.ts';
import { ControllerUnderTest } from '../testing/controller-under-test.ts';
import { InterposedStore } from '../testing/interposed-store.ts';
import { takeJournal } from './journal.ts';
import { Machines } from './machines.ts';
import { upgradeMachines } from './upgrade.ts';

const [macA, macB, macC] = ['52:54:00:00:00:0a', '52:54:00:00:00:0b', '52:54:00:00:00:0c'];
const uuid = '4c4c4544-0042-3510-8052-b4c04f4a3232';
const otherUuid = '4c4c4544-0042-3510-8052-b4c04f4a3233';
const never = new AbortController().signal;
const LONG_MS = 60_000;

function record(seq: number, changes: Partial<JournalRecord> = {}): JournalRecord {
  const at = new Date(Date.UTC(2026, 2, 2, 8, 0, 0, seq)).toISOString();
  return { seq, at, stage: 'offer', mac: macA, netboot: true, detail: `record ${seq}`, ...changes };
}

/** Counts what is listed, and what is read by its key. */
class CountingStore extends InterposedStore {
  readonly listed: string[] = [];
  gets = 0;

  override list(prefix: string, page?: Page): Promise<readonly Entry[]> {
    this.listed.push(prefix);
    return super.list(prefix, page);
  }

  override get(key: string): Promise<Entry | undefined> {
    this.gets += 1;
    return super.get(key);
  }
}

describe('the records of machines', () => {
  let store: CountingStore;
  let machines: Machines;
  const take = (...records: readonly JournalRecord[]): Promise<number> =>
    takeJournal(store, 'edge1', records);
  const journal = (key: string, after = 0, waitMs = 0) => machines.journal(key, { after, waitMs }, never);

  beforeEach(async () => {
    store = new CountingStore();
    machines = new Machines(store, async () => ({}));
    await new Edges(store, 'key').add('edge1', new Date());
  });

  test('a batch reads the machines that it is about, however many there are', async () => {
    for (let n = 0; n < 40; n++) await take(record(n + 1, { mac: `52:54:00:00:01:${10 + n}` }));
    store.listed.length = 0;
    store.gets = 0;
    await take(record(41, { mac: '52:54:00:00:01:12' }));
    assert.deepEqual(store.listed, []);
    assert.ok(store.gets < 8, `${store.gets} reads`);
  });

  test('the last thousand of a machine are kept', async () => {
    const records = Array.from({ length: 1005 }, (_, n) => record(n + 1));
    await take(...records.slice(0, 500));
    await take(...records.slice(500));
    const { records: kept, cursor } = await journal(macA);
    assert.deepEqual([kept.length, kept[0]?.seq, kept.at(-1)?.seq, cursor], [1000, 6, 1005, 1005]);
    assert.deepEqual(
      (await journal(macA, 1003)).records.map(({ seq }) => seq),
      [1004, 1005],
    );
  });

  test('a cursor shows what arrived since, also where it happened earlier', async () => {
    await new Edges(store, 'key').add('edge2', new Date());
    await take(record(5));
    const { cursor } = await journal(macA);
    await takeJournal(store, 'edge2', [record(1)]);
    const { records } = await journal(macA, cursor);
    assert.deepEqual(
      records.map(({ edge, seq }) => `${edge} ${seq}`),
      ['edge2 1'],
    );
  });

  test('a MAC or UUID that nobody heard of has an empty journal, and any other name has none', async () => {
    for (const key of [macA, uuid]) {
      const { machine, records, cursor } = await journal(key);
      assert.deepEqual([machine, records, cursor], [undefined, [], 0]);
    }
    await assert.rejects(journal('server-7'), { code: 'not_found' });
  });

  test('a machine that is registered and was never heard has an empty journal', async () => {
    const { id } = await machines.setIntent(macA, { kind: 'local' });
    const { machine, records } = await journal(macA);
    assert.deepEqual([machine?.id, records], [id, []]);
  });

  test('whoever waits is told when something comes, and sleeps through what others do', async () => {
    const waits = [journal(macA, 0, LONG_MS), journal(uuid, 0, LONG_MS)];
    await take(record(1, { mac: macB }));
    await take(record(2, { uuid }));
    for (const { records, machine } of await Promise.all(waits))
      assert.deepEqual([records.map(({ seq }) => seq), machine?.macs], [[2], [macA]]);
    assert.equal(store.watchers, 0);
  });

  test('a wait that brings nothing keeps its cursor, and stopping ends it', async () => {
    await take(record(1));
    assert.deepEqual((await journal(macA, 1, 5)).cursor, 1);
    const wait = journal(macA, 1, LONG_MS);
    machines.stop();
    assert.deepEqual((await wait).records, []);
  });

  test("a dock's MAC belongs to several machines, which their UUIDs tell apart", async () => {
    await take(
      record(1, { uuid }),
      record(2, { uuid: otherUuid }),
      record(3, { uuid: otherUuid, mac: macC }),
    );
    const [one, two] = [await journal(uuid), await journal(otherUuid)];
    assert.deepEqual(
      one.records.map(({ seq }) => seq),
      [1],
    );
    assert.deepEqual(
      [two.records.map(({ seq }) => seq), two.machine?.macs],
      [
        [2, 3],
        [macA, macC],
      ],
    );
    assert.equal((await machines.list()).length, 2);
  });

  test('alarms are kept by segment, newest first, and make no machines', async () => {
    await take(
      record(1, { stage: 'alarm', mac: undefined, segment: 'rack-7' } as Partial<JournalRecord>),
      record(2, { stage: 'alarm', mac: undefined } as Partial<JournalRecord>),
      record(3, { stage: 'alarm', mac: macB, segment: 'rack-7', cause: 'rogue_server' }),
    );
    assert.deepEqual(
      (await machines.alarms(undefined)).map(({ seq }) => seq),
      [3, 2, 1],
    );
    assert.deepEqual(
      (await machines.alarms('rack-7')).map(({ seq, edge }) => `${edge} ${seq}`),
      ['edge1 3', 'edge1 1'],
    );
    assert.deepEqual(await machines.list(), []);
  });

  test('of the alarms of a segment the last thousand are kept', async () => {
    for (const from of [0, 500, 1000])
      await take(
        ...Array.from({ length: 500 }, (_, n) => {
          const { mac: _mac, ...alarm } = record(from + n + 1, { stage: 'alarm', segment: 'rack-7' });
          return alarm;
        }),
      );
    const alarms = await machines.alarms('rack-7');
    assert.deepEqual([alarms.length, alarms[0]?.seq, alarms.at(-1)?.seq], [1000, 1500, 501]);
  });
});

describe('machines as versions before stored them', () => {
  const old = [
    { id: 'm-1', macs: [macA], uuid, intent: { kind: 'local' }, firstSeenAt: record(1).at },
    { id: 'm-2', macs: [macA, macB], uuid: otherUuid },
    { id: 'm-3', macs: [macC] },
  ];
  let store: InterposedStore;
  let machines: Machines;

  beforeEach(async () => {
    store = new InterposedStore();
    machines = new Machines(store, async () => ({}));
    await new Edges(store, 'key').add('edge1', new Date());
    const put: Record<string, unknown> = { 'guards/machines': 'm-1' };
    for (const machine of old) put[`machines/${machine.id}`] = machine;
    for (let seq = 1; seq <= 1200; seq++) {
      const each = record(seq, { mac: macC });
      put[`machine-journal/m-3/${each.at}/edge1/${String(seq).padStart(12, '0')}`] = {
        ...each,
        edge: 'edge1',
      };
    }
    await store.commit({ put });
    await upgradeMachines(store);
  });

  test('are found by UUID and by each MAC, and keep what they had', async () => {
    for (const machine of old)
      assert.deepEqual(
        (await machines.list()).find(({ id }) => id === machine.id),
        machine,
      );
    assert.equal((await machines.show(uuid)).id, 'm-1');
    assert.equal((await machines.show(otherUuid)).id, 'm-2');
    assert.equal((await machines.show(macA)).id, 'm-1', 'of two the first, as before');
    assert.equal((await machines.show(macB)).id, 'm-2');
  });

  test('keep the last thousand records, and what comes is added to them', async () => {
    await takeJournal(store, 'edge1', [record(1201, { mac: macC })]);
    const { records } = await machines.journal(macC, { after: 0, waitMs: 0 }, never);
    assert.deepEqual([records.length, records[0]?.seq, records.at(-1)?.seq], [1000, 202, 1201]);
    assert.equal((await machines.list()).length, old.length);
    assert.deepEqual(await store.list('machine-journal/'), []);
    assert.equal(await store.get('guards/machines'), undefined);
  });

  test('are brought up once: the second start changes nothing', async () => {
    const revision = await store.revision();
    await upgradeMachines(store);
    assert.equal(await store.revision(), revision);
  });
});

test('over HTTP: the journal of a machine as an edge sends it, and alarms', async () => {
  await using controller = await ControllerUnderTest.start();
  const edge = controller.client(await controller.joinEdge('edge1'));
  const params = { machine: macA };
  const wait = controller.operator.call(endpoints.machineJournal, { params, query: { waitSeconds: 30 } });
  const alarm: JournalRecord = {
    seq: 2,
    at: record(2).at,
    stage: 'alarm',
    segment: 'rack-7',
    detail: 'a rogue',
  };
  await edge.call(endpoints.sendJournal, { body: { records: [record(1, { next: 'firmware' }), alarm] } });
  const { records, cursor } = await wait;
  assert.deepEqual([records, cursor], [[{ ...record(1, { next: 'firmware' }), edge: 'edge1' }], 1]);
  const alarms = await controller.operator.call(endpoints.listAlarms, { query: {} });
  assert.deepEqual(alarms, [{ ...alarm, edge: 'edge1' }]);
});
