import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Endpoint, endpoints } from '@bootswarm/controller/contract';
import { ControllerUnderTest } from '../testing/controller-under-test.ts';
import { sampleSegment } from '../testing/samples.ts';

let controller: ControllerUnderTest;
const EDGES = ['edge1', 'edge2', 'edge3', 'edge4', 'edge5'];

before(async () => {
  controller = await ControllerUnderTest.start();
  for (const name of EDGES) await controller.operator.call(endpoints.addEdge, { body: { name } });
  for (const number of [1, 2, 3])
    await controller.operator.call(endpoints.addSegment, { body: sampleSegment(number, 'edge1') });
  for (const number of [1, 2, 3]) {
    const body = { macs: [`52:54:00:00:00:0${number}`] };
    await controller.operator.call(endpoints.registerMachine, { body });
  }
});

after(() => controller[Symbol.asyncDispose]());

interface Shown {
  readonly items: readonly unknown[];
  readonly next: string | undefined;
}

async function get(path: string): Promise<Shown> {
  const response = await controller.fetch(path);
  assert.equal(response.status, 200, path);
  const [, next] = /^<([^>]+)>; rel="next"$/.exec(response.headers.get('link') ?? '') ?? [];
  return { items: (await response.json()) as unknown[], next };
}

async function walk(first: string): Promise<readonly (readonly unknown[])[]> {
  const pages: (readonly unknown[])[] = [];
  for (let path: string | undefined = first; path !== undefined; ) {
    const { items, next } = await get(path);
    pages.push(items);
    path = next;
  }
  return pages;
}

const lists = Object.values(endpoints).filter(
  (endpoint: Endpoint) => endpoint.paged !== undefined && endpoint.params === undefined,
);
for (const { path } of lists)
  test(`${path}: pages together are the list, which comes whole where nobody asks for pages`, async () => {
    const { items, next } = await get(path);
    assert.equal(next, undefined);
    const pages = await walk(`${path}?limit=2`);
    assert.deepEqual(pages.flat(), items);
    assert.deepEqual(
      pages.slice(0, -1).map((page) => page.length),
      pages.slice(0, -1).map(() => 2),
    );
  });

test('the lists of this test have more than one page', async () => {
  for (const path of ['/v1/edges', '/v1/segments', '/v1/machines'])
    assert.ok((await walk(`${path}?limit=2`)).length > 1, path);
});

test('the last page may be full', async () => {
  assert.deepEqual((await walk('/v1/machines?limit=3')).length, 1);
  assert.deepEqual((await walk('/v1/edges?limit=5')).length, 1);
});

test('a page keeps what was asked for beside', async () => {
  const { next } = await get('/v1/machines?match=segment!%3Dnet9&limit=1');
  assert.match(next ?? '', /^\/v1\/machines\?match=segment%21%3Dnet9&limit=1&cursor=/);
});

test('a cursor that is gone still leads on', async () => {
  const { next } = await get('/v1/edges?limit=2');
  await controller.operator.call(endpoints.removeEdge, { params: { name: 'edge2' } });
  const { items } = await get(next ?? '');
  assert.deepEqual(
    items.map((edge) => (edge as { name: string }).name),
    ['edge3', 'edge4'],
  );
});

test('a limit that is none is refused by name', async () => {
  for (const limit of ['0', 'x', '1001']) {
    const response = await controller.fetch(`/v1/releases?limit=${limit}`);
    assert.equal(response.status, 400);
    assert.equal(((await response.json()) as { error: { field: string } }).error.field, 'limit');
  }
});
