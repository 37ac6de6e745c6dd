import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { after, before, test } from 'node:test';
import { pino } from 'pino';
import { ControllerUnderTest } from '../testing/controller-under-test.ts';
import { sampleRelease, sampleSegment } from '../testing/samples.ts';

let controller: ControllerUnderTest;
let edgeToken = '';

before(async () => {
  controller = await ControllerUnderTest.start();
  edgeToken = await controller.joinEdge('edge1');
});

after(() => controller[Symbol.asyncDispose]());

async function send(path: string, method: string, body: unknown, token?: string): Promise<unknown> {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const response = await controller.fetch(path, { method, body: text }, token ?? controller.operatorToken);
  const { error } = (await response.json()) as { error?: { code: string; field?: string } };
  return error ? [response.status, error.code, error.field] : response.status;
}

const good = sampleSegment(9, 'edge1');
const wrong: readonly (readonly [string, unknown, string | undefined])[] = [
  [
    'a wrong address deep inside',
    { ...good, pools: [...good.pools, { first: '10.1.9.1', last: 'x' }] },
    'pools[1].last',
  ],
  ['a number out of bounds', { ...good, leaseSeconds: 1 }, 'leaseSeconds'],
  ['a field that is missing', { ...good, subnet: undefined }, 'subnet'],
  ['a field that nobody knows', { ...good, gateway: '10.1.9.1' }, 'gateway'],
  [
    'a field that nobody knows deep inside',
    { ...good, pools: [{ ...good.pools[0], size: 3 }] },
    'pools[0].size',
  ],
  ['a kind that nobody knows', { ...good, defaultIntent: { kind: 'fly' } }, 'defaultIntent.kind'],
  ['no object', [], undefined],
];
for (const [what, body, field] of wrong)
  test(`${what} is refused by name`, async () => {
    assert.deepEqual(await send('/v1/segments', 'POST', body), [400, 'input_invalid', field]);
  });

test('a wrong parameter and a wrong query are refused by name', async () => {
  assert.deepEqual(await send('/v1/segments/UPPER', 'DELETE', ''), [400, 'input_invalid', 'name']);
  const sha256 = 'a'.repeat(64);
  assert.deepEqual(await send(`/v1/uploads/${sha256}?offset=-1&length=5`, 'PUT', 'x'), [
    400,
    'input_invalid',
    'offset',
  ]);
  assert.deepEqual(await send(`/v1/uploads/${sha256}?offset=0`, 'PUT', 'x'), [
    400,
    'input_invalid',
    'length',
  ]);
});

test('a body that is no JSON is refused as that', async () => {
  for (const body of ['{"name":', '', 'name=edge'])
    assert.deepEqual(await send('/v1/edges', 'POST', body), [400, 'body_not_json', undefined], body);
});

test('a body that is too large is answered, not cut off', async () => {
  const detail = 'x'.repeat(5 * 1024 * 1024);
  const answer = await send('/v1/edge/journal', 'POST', { records: [{ detail }] }, edgeToken);
  assert.deepEqual(answer, [413, 'body_too_large', undefined]);
});

test('the connection goes on after an error whose body nobody read', async () => {
  const { port } = new URL(controller.url);
  const socket = connect(Number(port), '127.0.0.1').setEncoding('latin1');
  const body = 'y'.repeat(100_000);
  socket.write(`POST /v1/edges HTTP/1.1\r\nhost: x\r\ncontent-length: ${body.length}\r\n\r\n${body}`);
  socket.write('GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n');
  let text = '';
  for await (const chunk of socket) text += chunk;
  assert.deepEqual(
    [...text.matchAll(/HTTP\/1.1 (\d+)/g)].map((match) => match[1]),
    ['401', '200'],
  );
});

test('an unknown route names itself', async () => {
  const response = await controller.fetch('/v2/releases', { method: 'DELETE' });
  assert.equal(response.status, 404);
  assert.match(await response.text(), /there is no route DELETE \/v2\/releases/);
});

test('a defect is answered with a number to look for in the log, and is logged', async () => {
  await using broken = await ControllerUnderTest.start(undefined, ({ machines }) => {
    machines.list = () => Promise.reject(new Error('the wheel came off'));
    return {};
  });
  const { error } = (await (await broken.fetch('/v1/machines')).json()) as { error: Record<string, string> };
  assert.match(error['message'] ?? '', /the wheel came off/);
  const request = /request ([0-9a-f-]{36})/.exec(error['remedy'] ?? '')?.[1];
  assert.ok(request);
  assert.equal(broken.log.records.filter((record) => record.request === request).length, 1);
});

test('a client that goes away in the middle of its body is no defect', async () => {
  await using quiet = await ControllerUnderTest.start();
  const request = httpRequest(`${quiet.url}/v1/edges`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${quiet.operatorToken}`,
      'content-length': 100,
      expect: '100-continue',
    },
  });
  request.on('error', () => {});
  request.flushHeaders();
  await once(request, 'continue');
  const logged = quiet.log.next();
  request.destroy();
  const { msg, level } = await logged;
  assert.deepEqual([msg, level], ['the caller went away', pino.levels.values['debug']]);
});

test('the page of documents loads files of ours alone', async () => {
  const page = await (await controller.fetch('/docs')).text();
  const loaded = [...page.matchAll(/(?:src|href)="([^"]+)"/g)].map((match) => match[1] ?? '');
  assert.equal(loaded.length, 3);
  for (const path of loaded) assert.equal((await controller.fetch(path)).status, 200, path);
});

test('a manifest that names one role twice is refused by name', async () => {
  const { manifest } = await sampleRelease();
  const [kernel] = manifest.artefacts;
  const twice = { ...manifest, artefacts: [kernel, kernel] };
  const answer = await send('/v1/releases', 'POST', { manifest: twice, targets: '{}' });
  assert.deepEqual(answer, [400, 'input_invalid', 'manifest.artefacts']);
});
