import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Endpoint, fillPath } from './endpoint.ts';
import { endpoints } from './endpoints.ts';

const all: readonly (readonly [string, Endpoint])[] = Object.entries(endpoints);

test('no two endpoints share a method and path', () => {
  const routes = all.map(([, { method, path }]) => `${method} ${path.replace(/\{\w+\}/g, '{}')}`);
  assert.deepEqual(routes, [...new Set(routes)]);
});

for (const [name, endpoint] of all)
  test(`${name}: the braces in its path are its parameters`, () => {
    const braces = [...endpoint.path.matchAll(/\{(\w+)\}/g)].map((match) => match[1]);
    assert.deepEqual(braces, Object.keys(endpoint.params?.shape ?? {}));
  });

test('health alone is for anyone', () => {
  const open = all.filter(([, { audience }]) => audience === 'anyone').map(([name]) => name);
  assert.deepEqual(open, ['health']);
});

test('a call that reads has no body', () => {
  for (const [name, { method, body }] of all) assert.ok(method !== 'get' || body === undefined, name);
});

test('parameters are escaped in a path', () => {
  assert.equal(
    fillPath('/v1/machines/{machine}/intent', { machine: 'a/b ?' }),
    '/v1/machines/a%2Fb%20%3F/intent',
  );
});
