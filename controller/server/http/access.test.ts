import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Endpoint, endpoints } from '@bootswarm/controller/contract';
import { ControllerUnderTest } from '../testing/controller-under-test.ts';

let controller: ControllerUnderTest;
const tokens: Record<string, string | undefined> = {};

before(async () => {
  controller = await ControllerUnderTest.start();
  tokens['operator'] = controller.operatorToken;
  tokens['edge'] = await controller.joinEdge('edge1');
  tokens['join'] = (await controller.operator.call(endpoints.addEdge, { body: { name: 'edge2' } })).joinToken;
});

after(() => controller[Symbol.asyncDispose]());

interface Route {
  readonly method: string;
  readonly path: string;
}

async function refusal(
  { method, path }: Route,
  authorization: string | undefined,
): Promise<readonly [number, string | undefined]> {
  const response = await fetch(controller.url + path.replace(/\{\w+\}/g, 'a'.repeat(64)), {
    method: method.toUpperCase(),
    headers: authorization === undefined ? {} : { authorization },
    ...(method === 'get' ? {} : { body: '{}' }),
  });
  const text = await response.text();
  return [response.status, text.startsWith('{"error"') ? JSON.parse(text).error.code : undefined];
}

const all: readonly (readonly [string, Endpoint])[] = Object.entries(endpoints);
const documents: readonly Route[] = [
  '/openapi.json',
  '/docs',
  '/docs/start.js',
  '/docs/swagger-ui.css',
  '/docs/swagger-ui-bundle.js',
  '/nothing-here',
].map((path) => ({ method: 'get', path }));
const closed: readonly Route[] = [
  ...all.filter(([, { audience }]) => audience !== 'anyone').map(([, endpoint]) => endpoint),
  ...documents,
];

for (const route of closed)
  test(`${route.method} ${route.path} tells nothing without a token that is known`, async () => {
    const code = route.path === '/v1/join' ? 'join_token_refused' : 'token_missing';
    for (const authorization of [
      undefined,
      'Bearer ',
      'Bearer bso_guess',
      'Basic bm86cGU=',
      tokens['operator'],
    ])
      assert.deepEqual(await refusal(route, authorization), [401, code], String(authorization));
  });

for (const [name, endpoint] of all)
  for (const kind of ['operator', 'edge', 'join'])
    if (endpoint.audience !== 'anyone' && !endpoint.audience.split('-or-').includes(kind))
      test(`${name} is not for a token of kind ${kind}`, async () => {
        assert.deepEqual(await refusal(endpoint, `Bearer ${tokens[kind]}`), [403, 'token_not_for_this']);
      });

test('health is for anyone, with any token or none', async () => {
  for (const authorization of [undefined, 'Bearer wrong'])
    assert.deepEqual(await refusal(endpoints.health, authorization), [200, undefined]);
});

test("a browser's password is a token for reading, but not for what another site can make it send", async () => {
  const basic = `Basic ${Buffer.from(`anyone:${controller.operatorToken}`).toString('base64')}`;
  assert.deepEqual(await refusal(endpoints.listEdges, basic), [200, undefined]);
  assert.deepEqual(await refusal({ method: 'get', path: '/docs' }, basic), [200, undefined]);
  assert.deepEqual(await refusal(endpoints.addEdge, basic), [401, 'token_missing']);
});

test('a browser is asked for the token', async () => {
  const response = await fetch(`${controller.url}/docs`);
  assert.match(response.headers.get('www-authenticate') ?? '', /^Basic/);
});

test('a token is stored as its hash alone', async () => {
  const stored = JSON.stringify(await controller.services.store.list(''));
  for (const token of Object.values(tokens)) assert.equal(stored.includes(token ?? ''), false);
});
