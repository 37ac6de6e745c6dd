import assert from 'node:assert/strict';
import { test } from 'node:test';
import { endpoints } from '@bootswarm/controller/contract';
import fc from 'fast-check';
import { MemoryStore } from '../store/memory-store.ts';
import { ControllerUnderTest } from '../testing/controller-under-test.ts';
import { KeptAnswers } from './kept-answers.ts';

const call = (key: string, asked = 'x') => ({ key, token: 'bso_x', asked });
const MOST_BYTES = 16 * 1024;

function addEdge(controller: ControllerUnderTest, name: string, key: string): Promise<Response> {
  const headers = { 'idempotency-key': key };
  return controller.fetch('/v1/edges', { method: 'POST', body: JSON.stringify({ name }), headers });
}

test('the same call under the same key makes a thing once, and gives the same answer', async () => {
  await using controller = await ControllerUnderTest.start();
  const first = await addEdge(controller, 'edge1', 'key1');
  const again = await addEdge(controller, 'edge1', 'key1');
  assert.equal(await again.text(), await first.text());
  assert.deepEqual(
    [first, again].map(({ headers }) => headers.get('idempotent-replayed')),
    [null, 'true'],
  );
  assert.equal((await addEdge(controller, 'edge1', 'key2')).status, 409);
  assert.equal((await controller.operator.call(endpoints.listEdges, {})).length, 1);
});

test('another call under a key that is used is refused', async () => {
  await using controller = await ControllerUnderTest.start();
  await addEdge(controller, 'edge1', 'key1');
  const other = await addEdge(controller, 'edge2', 'key1');
  assert.equal(other.status, 422);
  assert.match(await other.text(), /"idempotency_key_reused"/);
  // The same key with another path is another call too.
  const init = { method: 'POST', headers: { 'idempotency-key': 'key1' } };
  assert.equal((await controller.fetch('/v1/edges/edge1/invitation', init)).status, 422);
});

test('a key is its token’s own, and one that is none is refused', async () => {
  await using controller = await ControllerUnderTest.start();
  assert.equal((await addEdge(controller, 'edge1', 'x'.repeat(256))).status, 400);
  assert.equal((await addEdge(controller, 'edge1', 'two words')).status, 400);
  const answers = new KeptAnswers(new MemoryStore());
  const make = async (name: string) => name;
  await answers.once(call('k'), new Date(), () => make('mine'));
  const other = await answers.once({ ...call('k'), token: 'bso_y' }, new Date(), () => make('theirs'));
  assert.deepEqual(other, { answer: 'theirs', isKept: false });
});

test('while the first runs, the second is told to wait; what was refused may be asked for again', async () => {
  const answers = new KeptAnswers(new MemoryStore());
  const gate = Promise.withResolvers<string>();
  const first = answers.once(call('k'), new Date(), () => gate.promise);
  await assert.rejects(
    answers.once(call('k'), new Date(), async () => ''),
    { code: 'idempotency_key_busy', status: 409 },
  );
  gate.reject(new Error('refused'));
  await assert.rejects(first, /refused/);
  const again = await answers.once(call('k', 'other'), new Date(), async () => 'made');
  assert.deepEqual(again, { answer: 'made', isKept: false });
});

test('an answer outlives the controller, and nobody who reads the store learns it', async () => {
  const store = new MemoryStore();
  await new KeptAnswers(store).once(call('k', 'a body'), new Date(), async () => 'bsj_secret');
  const again = await new KeptAnswers(store).once(call('k', 'a body'), new Date(), async () => 'other');
  assert.deepEqual(again, { answer: 'bsj_secret', isKept: true });
  const text = JSON.stringify(await store.list(''));
  for (const secret of ['bsj_secret', 'bso_x', 'a body']) assert.equal(text.includes(secret), false);
  assert.equal(text.includes(Buffer.from('bsj_secret').toString('base64')), false);
});

test('answers go after a day, and the oldest beyond the bound; what is too long is not kept', async () => {
  const store = new MemoryStore();
  const answers = new KeptAnswers(store, { most: 3, hours: 24, answerMostBytes: MOST_BYTES });
  const at = (hours: number) => new Date(Date.UTC(2026, 0, 1, hours));
  for (let n = 0; n < 5; n++) await answers.once(call(`k${n}`), at(n), async () => n);
  assert.equal(await answers.trim(at(5)), 2);
  assert.equal((await answers.once(call('k1'), at(5), async () => 'new')).answer, 'new');
  assert.equal((await answers.once(call('k4'), at(5), async () => 'new')).answer, 4);
  // Over, though not yet trimmed; kept anew, it does not go with its first time.
  assert.equal((await answers.once(call('k4'), at(29), async () => 'new')).answer, 'new');
  await answers.trim(at(29));
  assert.equal((await answers.once(call('k4'), at(29), async () => 'other')).answer, 'new');
  assert.equal(await answers.trim(at(100)), 2);
  assert.deepEqual(await store.list(''), []);
  await answers.once(call('long'), at(100), async () => 'x'.repeat(MOST_BYTES));
  assert.deepEqual(await store.list(''), []);
});

test('however often and at once calls are sent again, each is carried out once', () =>
  fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ key: fc.constantFrom('a', 'b', 'c'), at: fc.nat(5), fails: fc.boolean() }), {
        maxLength: 20,
      }),
      async (calls) => {
        const answers = new KeptAnswers(new MemoryStore());
        const made: string[] = [];
        const got = await Promise.allSettled(
          calls.map(async ({ key, at, fails }) => {
            for (let turn = 0; turn < at * 3; turn++) await Promise.resolve();
            const { answer } = await answers.once(call(key), new Date(), async () => {
              await Promise.resolve();
              if (fails) throw new Error('refused');
              made.push(key);
              return `${key}${made.length}`;
            });
            return { key, answer };
          }),
        );
        assert.equal(new Set(made).size, made.length);
        const told = got.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
        assert.equal(new Set(told.map(({ answer }) => answer)).size, new Set(made).size);
      },
    ),
  ));
