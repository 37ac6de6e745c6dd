import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Event, endpoints } from '@bootswarm/controller/contract';
import fc from 'fast-check';
import { MemoryStore } from '../store/memory-store.ts';
import { transact } from '../store/transact.ts';
import { ControllerUnderTest } from '../testing/controller-under-test.ts';
import { InterposedStore } from '../testing/interposed-store.ts';
import { sampleSegment } from '../testing/samples.ts';
import { causedBy } from './cause.ts';
import { EventLog } from './event-log.ts';
import { RecordedStore } from './recorded-store.ts';

const brief = ({ kind, subject }: Event): string => `${kind} ${subject}`;

async function toldBy(controller: ControllerUnderTest, after = 0): Promise<Event[]> {
  return (await controller.operator.call(endpoints.listEvents, { query: { after, limit: 1000 } })).events;
}

test('what operators and edges do is told in order, with who did it and in which request', async () => {
  await using controller = await ControllerUnderTest.start();
  const { operator } = controller;
  const edge = controller.client(await controller.joinEdge('edge1'));
  const segment = sampleSegment(1, 'edge1');
  await operator.call(endpoints.addSegment, { body: segment });
  const changed = { ...segment, leaseSeconds: 600 };
  await operator.call(endpoints.replaceSegment, { params: { name: 'seg1' }, body: changed });
  await operator.call(endpoints.replaceSegment, { params: { name: 'seg1' }, body: changed });
  const params = { machine: '52:54:00:00:00:01' };
  const { id } = await operator.call(endpoints.setIntent, { params, body: { kind: 'local' } });
  const at = new Date().toISOString();
  const record = { seq: 1, at, stage: 'script' as const, mac: '52:54:00:00:00:01', detail: 'a script' };
  await edge.call(endpoints.sendJournal, { body: { records: [record, { ...record, seq: 2 }] } });
  await operator.call(endpoints.removeSegment, { params: { name: 'seg1' } });

  const events = await toldBy(controller);
  const expected = [
    'edge.added edge1',
    'token.made join edge1',
    'edge.joined edge1',
    'token.made edge edge1',
    'token.ended join edge1',
    'segment.added seg1',
    'segment.changed seg1',
    `machine.registered ${id}`,
    `machine.intent ${id}`,
    `machine.journal ${id}`,
    'segment.removed seg1',
  ];
  assert.deepEqual(
    events.map(brief).filter((text) => !text.includes('operator')),
    expected,
  );
  assert.deepEqual(
    events.map(({ number }) => number),
    events.map((_, index) => index + 1),
  );
  const of = (kind: string): Event | undefined => events.findLast((event) => event.kind === kind);
  assert.deepEqual(of('segment.changed')?.changed, ['leaseSeconds']);
  assert.deepEqual(of('machine.journal')?.records, [{ of: id, after: 0, count: 2 }]);
  assert.deepEqual(of('machine.journal')?.by, { kind: 'edge', name: 'edge1' });
  assert.deepEqual(of('edge.joined')?.by, { kind: 'join', name: 'edge1' });
  assert.match(of('segment.added')?.by.name ?? '', /^[0-9a-f]{8}$/);
  assert.notEqual(of('segment.added')?.request, of('segment.changed')?.request);
  assert.equal(
    events.some(({ kind }) => kind === 'other.changed'),
    false,
  );
});

test('the answer names the request as its events do', async () => {
  await using controller = await ControllerUnderTest.start();
  const response = await controller.fetch('/v1/edges', { method: 'POST', body: '{"name":"e1"}' });
  const [event] = (await toldBy(controller)).slice(-1);
  assert.equal(response.headers.get('x-request-id'), event?.request);
});

test('what is refused tells nothing', async () => {
  await using controller = await ControllerUnderTest.start();
  const before = (await toldBy(controller)).length;
  await assert.rejects(controller.operator.call(endpoints.addSegment, { body: sampleSegment(1, 'nobody') }));
  assert.equal((await toldBy(controller)).length, before);
});

test('a part of the store that no rule knows is told all the same, without its contents', async () => {
  const store = new RecordedStore(new MemoryStore());
  await store.commit({ put: { 'new-room/a': { secret: 'x' } } });
  await store.commit({ put: { 'new-room/a': { secret: 'x' } } });
  const { events } = await new EventLog(store).page(0, {});
  assert.deepEqual(events.map(brief), ['other.changed new-room/a']);
  assert.equal(JSON.stringify(events).includes('secret'), false);
});

test('of lives, power, rollouts and secrets each step is told, and nothing of what is secret or said elsewhere', async () => {
  const store = new RecordedStore(new MemoryStore());
  const machine = { id: 'm-1', macs: ['52:54:00:00:00:01'] };
  const power = { number: 1, action: 'cycle', state: 'waiting', step: 0 };
  const rollout = { state: 'running', wave: 0 };
  const puts: readonly Readonly<Record<string, unknown>>[] = [
    { 'machines/m-1': { ...machine, state: 'installing', power } },
    {
      'machines/m-1': { ...machine, state: 'installing', stateSince: 'later', power: { ...power, step: 1 } },
    },
    {
      'machines/m-1': {
        ...machine,
        state: 'failed',
        cause: 'no_first_boot',
        power: { ...power, state: 'done' },
      },
    },
    { 'rollouts/r1': rollout, 'rollout-machines/r1/m-1': {}, 'rollout-claims/m-1': 'r1' },
    { 'rollouts/r1': { ...rollout, revision: 2 }, 'machine-due/x/m-1': true, 'power-open/m-1': true },
    { 'rollouts/r1': { state: 'paused', wave: 1, cause: 'too_many_failed' } },
    { 'secrets/bmc': { sealed: 'hidden' } },
    { 'machine-reservations/mine': { machines: [] }, assignments: [], 'machine-names/db1': 'm-1' },
  ];
  for (const put of puts) await store.commit({ put });
  await store.commit({ remove: ['rollouts/r1', 'secrets/bmc'] });
  const { events } = await new EventLog(store).page(0, {});
  assert.deepEqual(
    events.map((event) => `${brief(event)}${event.detail === undefined ? '' : ` ${event.detail}`}`),
    [
      'machine.registered m-1 MAC 52:54:00:00:00:01',
      'machine.state m-1 to installing',
      'machine.power m-1 cycle waiting',
      'machine.state m-1 installing to failed: no_first_boot',
      'machine.power m-1 cycle done',
      'rollout.added r1 running',
      'rollout.moved r1 running to paused: too_many_failed, wave 2',
      'secret.set bmc',
      'reservation.added mine',
      'assignments.changed assignments',
      'rollout.removed r1',
      'secret.removed bmc',
    ],
  );
  assert.equal(JSON.stringify(events).includes('hidden'), false);
});

test('a change that others got before is told against what they left', async () => {
  const inner = new InterposedStore();
  const store = new RecordedStore(inner);
  await store.commit({ put: { retention: { series: {} } } });
  inner.beforeNextCommit(() => inner.commit({ put: { retention: { series: {}, everywhere: { keep: 1 } } } }));
  await store.commit({ put: { retention: { series: {}, everywhere: { keep: 1 } } } });
  assert.equal((await new EventLog(store).page(0, {})).events.length, 1);
});

test('events follow from what was committed, whoever commits at once', async () => {
  const change = fc.record({ name: fc.constantFrom('a', 'b', 'c'), to: fc.option(fc.nat(3)), by: fc.nat(9) });
  await fc.assert(
    fc.asyncProperty(fc.array(change, { maxLength: 20 }), async (changes) => {
      const store = new RecordedStore(new MemoryStore());
      await Promise.all(
        changes.map(({ name, to, by }) =>
          causedBy({ by: { kind: 'edge', name: `e${by}` } }, () =>
            transact(store, name, async (reads) => {
              const key = `segments/${name}`;
              const held = await reads.get(key);
              if (to === null) return { remove: held ? [key] : [], result: undefined };
              return { put: { [key]: { to, by } }, result: undefined };
            }),
          ),
        ),
      );
      const { events } = await new EventLog(store).page(0, {});
      const there = new Map<string, string | undefined>();
      for (const { kind, subject, by } of events) {
        // Nothing is added twice, nor changed or removed where it is not.
        assert.equal(there.has(subject), kind !== 'segment.added');
        if (kind === 'segment.removed') there.delete(subject);
        else there.set(subject, by.name);
      }
      const held = (await store.list('segments/')).map(({ key, value }) => [
        key.slice('segments/'.length),
        `e${(value as { by: number }).by}`,
      ]);
      assert.deepEqual([...there].toSorted(), held);
    }),
    { numRuns: 60 },
  );
});

test('a page is found by kind, by machine and by time, with a cursor to go on from', async () => {
  await using controller = await ControllerUnderTest.start();
  const { operator } = controller;
  for (const n of [1, 2, 3]) {
    const params = { machine: `52:54:00:00:00:0${n}` };
    await operator.call(endpoints.setIntent, { params, body: { kind: 'local' } });
  }
  const list = (query: object) => operator.call(endpoints.listEvents, { query });
  const first = await list({ kind: 'machine.intent', limit: 2 });
  const rest = await list({ kind: 'machine.intent', limit: 2, after: first.cursor });
  assert.deepEqual([first.events.length, first.more, rest.events.length, rest.more], [2, true, 1, false]);
  assert.deepEqual(
    (await list({ machine: '525400000002' })).events.map(({ kind }) => kind),
    ['machine.registered', 'machine.intent'],
  );
  assert.deepEqual((await list({ since: new Date(Date.now() + 60_000).toISOString() })).events, []);
  const all = await toldBy(controller);
  assert.deepEqual((await list({ since: all[0]?.at })).events, all);
  await assert.rejects(list({ kind: 'machine,weather' }), { code: 'input_invalid', field: 'kind' });
  await assert.rejects(list({ machine: 'nobody' }), { code: 'not_found' });
});

test('the oldest events go in chunks, and who comes too late is told what is left', async () => {
  const store = new RecordedStore(new MemoryStore());
  const log = new EventLog(store, { most: 20, days: 30, chunk: 10 });
  for (let n = 0; n < 35; n++) await store.commit({ put: { retention: { series: {}, n } } });
  assert.equal(await log.trim(new Date()), 10);
  assert.equal(await log.trim(new Date()), 0);
  assert.equal((await log.page(0, {})).events[0]?.number, 11);
  assert.equal((await log.page(10, {})).events.length, 25);
  await assert.rejects(log.page(9, {}), { code: 'events_gone', message: /oldest is 11/ });
  const inTwoMonths = new Date(Date.now() + 60 * 24 * 3600 * 1000);
  assert.equal(await log.trim(inTwoMonths), 20);
  assert.deepEqual([await log.newest(), await log.oldest()], [35, 31]);
});
