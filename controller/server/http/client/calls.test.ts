import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type ControllerClient, connect, isProblem, tagOf } from '@bootswarm/controller/client';
import { ControllerUnderTest } from '../../testing/controller-under-test.ts';
import { sampleSegment } from '../../testing/samples.ts';

let controller: ControllerUnderTest;
let client: ControllerClient;

before(async () => {
  controller = await ControllerUnderTest.start();
  client = connect({ url: controller.url, token: controller.operatorToken });
  await client.edges.add({ name: 'edge1' });
});

after(() => controller[Symbol.asyncDispose]());

test('calls go by path, query and body, as the table of endpoints says', async () => {
  const { name } = await client.segments.add(sampleSegment(1, 'edge1'));
  assert.equal((await client.segments.show(name)).name, 'seg1');
  const machine = await client.machines.setVariables('52:54:00:00:00:01', { rack: 'r1' });
  const found = await client.machines.list({ match: `id=${machine.id}` }).all();
  assert.deepEqual(
    found.map(({ id }) => id),
    [machine.id],
  );
  assert.equal((await client.controller.health()).status, 'ok');
  assert.equal((await client.machines.journal(machine.id)).cursor, 0);
});

test('a list is walked page by page, and no further than it is read', async () => {
  for (const number of [2, 3, 4, 5]) await client.edges.add({ name: `edge${number}` });
  const pages: number[] = [];
  for await (const page of client.edges.list({ limit: 2 }).pages()) pages.push(page.length);
  assert.deepEqual(pages, [2, 2, 1]);
  const names: string[] = [];
  for await (const { name } of client.edges.list({ limit: 2 })) names.push(name);
  assert.deepEqual(names, ['edge1', 'edge2', 'edge3', 'edge4', 'edge5']);
  assert.equal((await client.edges.list({ limit: 2 }).all(3)).length, 3);
  assert.equal((await client.edges.list().all()).length, 5);
});

test('a problem is told by its code, with field and remedy', async () => {
  const error: unknown = await client.segments
    .add({ ...sampleSegment(6, 'edge1'), edges: ['nobody'] })
    .catch((reason: unknown) => reason);
  assert.ok(isProblem(error, 'edge_unknown', 'not_found'));
  assert.deepEqual([error.code, error.field, error.status], ['edge_unknown', 'edges[0]', 422]);
  assert.match(error.remedy, /bootswarm edge add/);
  assert.equal(isProblem(error, 'not_found'), false);
  assert.equal(isProblem(new Error('edge_unknown')), false);
});

test('who changes what somebody else changed meanwhile is told', async () => {
  const seen = await client.segments.add(sampleSegment(7, 'edge1'));
  assert.equal(tagOf(seen), undefined, 'adding has no tag');
  const shown = await client.segments.show('seg7');
  const ifMatch = tagOf(shown);
  assert.ok(ifMatch);
  const changed = await client.segments.replace('seg7', { ...shown, leaseSeconds: 999 }, { ifMatch });
  await assert.rejects(client.segments.replace('seg7', shown, { ifMatch }), { code: 'changed_meanwhile' });
  await client.segments.replace('seg7', shown, { ifMatch: tagOf(changed) });
  await assert.rejects(client.segments.replace('seg7', shown, { ifNone: true }), {
    code: 'changed_meanwhile',
  });
});

test('what is made under one key is made once', async () => {
  const idempotencyKey = 'of-this-test';
  const first = await client.edges.add({ name: 'once' }, { idempotencyKey });
  assert.deepEqual(await client.edges.add({ name: 'once' }, { idempotencyKey }), first);
  await assert.rejects(client.edges.add({ name: 'once' }), { code: 'edge_exists' });
});
