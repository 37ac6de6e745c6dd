import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { endpoints } from '@bootswarm/controller/contract';
import { Hono } from 'hono';
import { ControllerUnderTest } from '../testing/controller-under-test.ts';
import type { Env } from './adapter.ts';
import { addEventRoutes } from './event-routes.ts';
import { listen } from './listener.ts';

/** Reads a stream until `wanted` matches. */
async function readUntil(response: Response, wanted: RegExp): Promise<string> {
  let text = '';
  const reader = (response.body ?? new ReadableStream()).pipeThrough(new TextDecoderStream()).getReader();
  while (!wanted.test(text)) {
    const { value, done } = await reader.read();
    if (done) throw new Error(`ended with ${text}`);
    text += value;
  }
  await reader.cancel();
  return text;
}

test('a reader is told what happens from now on, and resumes where it was', async () => {
  await using controller = await ControllerUnderTest.start();
  const add = (name: string) => controller.operator.call(endpoints.addEdge, { body: { name } });
  await add('before');
  const response = await controller.fetch('/v1/events/stream?kind=edge');
  assert.equal(response.headers.get('content-type'), 'text/event-stream');
  await add('edge1');
  const text = await readUntil(response, /edge1.*\n\n/);
  assert.doesNotMatch(text, /before|token\.made/);
  const [, id = ''] = /id: (\d+)\nevent: edge\.added\ndata: \{.*edge1/.exec(text) ?? [];
  await add('edge2');
  const headers = { 'last-event-id': id };
  const resumed = await readUntil(
    await controller.fetch('/v1/events/stream?kind=edge', { headers }),
    /edge2/,
  );
  assert.doesNotMatch(resumed, /edge1/);
});

test('a place that is none, and one that is no longer kept, are answered as problems', async () => {
  await using controller = await ControllerUnderTest.start();
  const wrong = await controller.fetch('/v1/events/stream', { headers: { 'last-event-id': 'x' } });
  assert.equal(wrong.status, 400);
  for (let n = 0; n < 3; n++) await controller.operator.call(endpoints.addEdge, { body: { name: `e${n}` } });
  const [oldest] = await controller.services.store.list('events/');
  const [second] = await controller.services.store.list('events/', { after: oldest?.key ?? '' });
  await controller.services.store.commit({ remove: [oldest?.key ?? '', second?.key ?? ''] });
  assert.equal((await controller.fetch('/v1/events/stream?after=1')).status, 410);
});

test('a reader that takes nothing is cut off while others go on, and the heart beats', async () => {
  await using controller = await ControllerUnderTest.start();
  const { services } = controller;
  const api = new Hono<Env>();
  api.use((c, next) => {
    c.set('actor', { kind: 'operator' });
    return next();
  });
  addEventRoutes(api, services, { heartbeatMs: 50, slowMs: 200 });
  const listener = await listen(api, 0, '127.0.0.1');
  const url = `http://127.0.0.1:${listener.port}/v1/events/stream?after=1`;
  assert.match(await readUntil(await fetch(url), /id: \d+\n\nid: \d+\n\n/), /id: \d+\n\n/);

  const slow = request(url).end();
  const [response] = (await once(slow, 'response')) as [IncomingMessage];
  response.pause().on('error', () => {});
  // More than the sockets between hold.
  for (let n = 0; n < 30; n++) {
    const put = Array.from({ length: 200 }, (_, i) => [`segments/${'x'.repeat(4000)}${i}`, { n }]);
    await services.store.commit({ put: Object.fromEntries(put) });
  }
  await sleep(1000);
  const closed = once(response, 'end');
  response.resume();
  await assert.rejects(closed, { code: 'ECONNRESET' });
  assert.equal(response.complete, false);
  await readUntil(await fetch(url), /event: segment\.changed/);
  services.events.stop();
  await listener.close(0);
});
