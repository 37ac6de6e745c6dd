import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Client, type Endpoint, endpoints } from '@bootswarm/controller/contract';
import fc from 'fast-check';
import { ControllerUnderTest } from '../testing/controller-under-test.ts';
import { InterposedStore } from '../testing/interposed-store.ts';
import { sampleSegment } from '../testing/samples.ts';

const MAC = '52:54:00:00:00:01';
const refused = { code: 'changed_meanwhile', status: 412 };

async function withSegment(
  run: (site: {
    controller: ControllerUnderTest;
    tag: () => Promise<string>;
    replace: (leaseSeconds: number, headers: Record<string, string>) => Promise<unknown>;
    remove: (headers: Record<string, string>) => Promise<unknown>;
    store: InterposedStore;
  }) => Promise<void>,
): Promise<void> {
  const store = new InterposedStore();
  await using controller = await ControllerUnderTest.start(store);
  const { operator } = controller;
  await controller.joinEdge('edge1');
  const segment = sampleSegment(1, 'edge1');
  await operator.call(endpoints.addSegment, { body: segment });
  const params = { name: 'seg1' };
  await run({
    controller,
    store,
    tag: async () => (await operator.callTagged(endpoints.showSegment, { params })).tag ?? '',
    replace: (leaseSeconds, headers) =>
      operator.call(endpoints.replaceSegment, { params, body: { ...segment, leaseSeconds } }, { headers }),
    remove: (headers) => operator.call(endpoints.removeSegment, { params }, { headers }),
  });
}

test('of two who change what both have seen, the second is told', () =>
  withSegment(async ({ tag, replace, remove }) => {
    const seen = await tag();
    assert.match(seen, /^"[\w-]{22}"$/);
    await replace(600, { 'if-match': seen });
    await assert.rejects(replace(700, { 'if-match': seen }), refused);
    await assert.rejects(remove({ 'if-match': seen }), refused);
    const now = await tag();
    assert.notEqual(now, seen);
    await assert.rejects(replace(700, { 'if-match': `W/${now}` }), refused, 'a weak tag never matches');
    await replace(700, { 'if-match': `"other", ${now}` });
    await remove({ 'if-match': '*' });
    await assert.rejects(replace(600, { 'if-match': '*' }), refused);
    await replace(600, { 'if-none-match': '*' });
    await assert.rejects(replace(800, { 'if-none-match': '*' }), refused);
  }));

test('who comes between the look and the commit is not overwritten', () =>
  withSegment(async ({ controller, store, tag, replace }) => {
    const seen = await tag();
    const params = { name: 'seg1' };
    const body = { ...sampleSegment(1, 'edge1'), leaseSeconds: 999 };
    store.beforeNextCommit(() => controller.operator.call(endpoints.replaceSegment, { params, body }));
    await assert.rejects(replace(600, { 'if-match': seen }), refused);
    const { leaseSeconds } = await controller.operator.call(endpoints.showSegment, { params });
    assert.equal(leaseSeconds, 999);
  }));

test('the answer to a change has the tag that reading it gives', async () => {
  await using controller = await ControllerUnderTest.start();
  const { operator } = controller;
  const params = { machine: MAC };
  const changed = await operator.callTagged(endpoints.setVariables, { params, body: { rack: 'r1' } });
  const set = await operator.callTagged(endpoints.setIntent, { params, body: { kind: 'local' } });
  const read = await operator.callTagged(endpoints.showMachine, { params });
  assert.equal(set.tag, read.tag);
  assert.notEqual(set.tag, changed.tag);
});

test('what a machine does by itself does not come between an operator and its machine', async () => {
  await using controller = await ControllerUnderTest.start();
  const { operator } = controller;
  const edge = controller.client(await controller.joinEdge('edge1'));
  const params = { machine: MAC };
  const boots = (seq: number) => {
    const record = { seq, at: new Date().toISOString(), stage: 'script' as const, mac: MAC, detail: 'x' };
    return edge.call(endpoints.sendJournal, { body: { records: [record] } });
  };
  await operator.call(endpoints.setIntent, { params, body: { kind: 'local' } });
  await boots(1);
  const { tag = '' } = await operator.callTagged(endpoints.showMachine, { params });
  await boots(2);
  const set = (headers: Record<string, string>) =>
    operator.call(endpoints.setIntent, { params, body: { kind: 'menu' } }, { headers });
  await set({ 'if-match': tag });
  await assert.rejects(set({ 'if-match': tag }), refused);
  await assert.rejects(set({ 'if-none-match': '*' }), refused);
});

test('a tag that is none is refused by its header', () =>
  withSegment(async ({ replace }) => {
    for (const value of ['abc', '"a" "b"', ''])
      await assert.rejects(replace(600, { 'if-match': value }), { field: 'if-match' }, value);
    await assert.rejects(replace(600, { 'if-none-match': '"a"' }), { field: 'if-none-match' });
  }));

test('however many change at once what they have seen, no change is lost', () =>
  fc.assert(
    fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 3 }), (writers) =>
      withSegment(async ({ controller, replace }) => {
        const params = { name: 'seg1' };
        const read = () => controller.operator.callTagged(endpoints.showSegment, { params });
        const before = (await read()).result.leaseSeconds;
        // Each adds one, so many times, and looks again where it lost.
        const add = async (): Promise<void> => {
          const { result, tag = '' } = await read();
          const done = await replace(result.leaseSeconds + 1, { 'if-match': tag }).catch((error) => {
            assert.equal(error.code, 'changed_meanwhile');
          });
          if (!done) await add();
        };
        await Promise.all(
          writers.map(async (times) => {
            for (let n = 0; n < times; n++) await add();
          }),
        );
        const sum = writers.reduce((total, times) => total + times, 0);
        assert.equal((await read()).result.leaseSeconds, before + sum);
      }),
    ),
    { numRuns: 10 },
  ));

interface Thing {
  readonly read: Endpoint;
  readonly params?: Readonly<Record<string, string>>;
  /** Changes the thing, and differs by its number. */
  readonly change: Endpoint;
  readonly body: (number: number) => unknown;
  /** What happens to it by itself. */
  readonly passes?: (controller: ControllerUnderTest, edge: Client) => Promise<unknown>;
  readonly remove?: Endpoint;
}

const rule = (number: number) => ({ name: 'r1', match: `memory>=${number}G`, set: { class: 'big' } });
const things: Readonly<Record<string, Thing>> = {
  'the policy': {
    read: endpoints.showPolicy,
    change: endpoints.replacePolicy,
    body: (number) => ({ options: { 42: `10.0.0.${number}` } }),
  },
  'a rule': {
    read: endpoints.showRule,
    params: { name: 'r1' },
    change: endpoints.replaceRule,
    body: rule,
    remove: endpoints.removeRule,
  },
  'an edge': {
    read: endpoints.showEdge,
    params: { name: 'edge1' },
    change: endpoints.changeEdge,
    body: (number) => ({ site: `site${number}` }),
    passes: (_, edge) => edge.call(endpoints.reportStatus, { body: { revision: 1, ready: [], waiting: [] } }),
    remove: endpoints.removeEdge,
  },
};

for (const [what, { read, params, change, body, passes, remove }] of Object.entries(things))
  test(`${what}: who has it already gets 304, and who changes what changed meanwhile gets 412`, async () => {
    await using controller = await ControllerUnderTest.start();
    const edge = controller.client(await controller.joinEdge('edge1'));
    const call = (endpoint: Endpoint, more: object = {}, headers: Record<string, string> = {}) =>
      controller.operator.callTagged(endpoint, { params, ...more } as never, { headers });
    const path = read.path.replace(/\{\w+\}/, params?.['name'] ?? '');
    const ask = (held: string) => controller.fetch(path, { headers: { 'if-none-match': held } });

    const set = await call(change, { body: body(1) });
    const { tag = '' } = await call(read);
    assert.equal(set.tag, tag, 'a change tells the tag that reading gives');
    for (const held of [tag, `W/${tag}`, `"other", ${tag}`, '*']) {
      const unchanged = await ask(held);
      assert.deepEqual(
        [unchanged.status, unchanged.headers.get('etag'), await unchanged.text()],
        [304, tag, ''],
      );
    }
    assert.equal((await ask('"other"')).status, 200);
    assert.equal((await ask('nonsense')).status, 400);
    await passes?.(controller, edge);
    assert.equal((await ask(tag)).status, 304, 'what it does by itself does not count');

    await call(change, { body: body(2) }, { 'if-match': tag });
    assert.equal((await ask(tag)).status, 200);
    await assert.rejects(call(change, { body: body(3) }, { 'if-match': tag }), refused);
    await assert.rejects(call(change, { body: body(3) }, { 'if-none-match': '*' }), refused);
    if (remove) {
      await assert.rejects(call(remove, {}, { 'if-match': tag }), refused);
      await call(remove, {}, { 'if-match': (await call(read)).tag ?? '' });
    }
  });
