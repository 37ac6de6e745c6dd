import assert from 'node:assert/strict';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { Problem } from '@bootswarm/images/format';
import { Client } from './client.ts';
import { endpoints } from './endpoints.ts';
import { problem } from './errors.ts';

/** A controller that answers as it is told. */
async function withFakeController(
  answer: RequestListener,
  run: (url: string) => Promise<void>,
): Promise<void> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    await run(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

function answering(status: number, body: string): RequestListener {
  return (_request, response) => response.writeHead(status).end(body);
}

const health = { status: 'ok', version: '1' };

test('a call carries method, path, query, body and token, and gives the parsed result', async () => {
  const asked: unknown[] = [];
  const record: RequestListener = async (request, response) => {
    const body = await request.toArray();
    const { authorization, 'content-type': type } = request.headers;
    asked.push([request.method, request.url, authorization, type, Buffer.concat(body).toString()]);
    response.end(JSON.stringify({ received: 2, complete: false }));
  };
  await withFakeController(record, async (url) => {
    const client = new Client({ url: `${url}//`, token: 'bso_x' });
    const request = { params: { sha256: 'a'.repeat(64) }, query: { offset: 3, length: 9 } };
    const bytes = (async function* () {
      yield Buffer.from('hel');
      yield Buffer.from('lo');
    })();
    assert.deepEqual(await client.send(endpoints.sendUpload, request, bytes), {
      received: 2,
      complete: false,
    });
  });
  const path = `/v1/uploads/${'a'.repeat(64)}?offset=3&length=9`;
  assert.deepEqual(asked, [['PUT', path, 'Bearer bso_x', 'application/octet-stream', 'hello']]);
});

test("a controller's problem passes through as it was sent", () => {
  const sent = problem('segment_pool_reversed', { field: 'pools[1]', facts: { pool: 'b-a' } });
  return withFakeController(answering(422, JSON.stringify({ error: sent.toBody() })), async (url) => {
    await assert.rejects(new Client({ url }).call(endpoints.health, {}), (error) => {
      assert.ok(error instanceof Problem);
      assert.deepEqual([error.toBody(), error.status], [sent.toBody(), 422]);
      return true;
    });
  });
});

const unreadable: readonly (readonly [string, number, string])[] = [
  ['no JSON', 200, '<html>'],
  ['another shape', 200, '{"status":"ok"}'],
  ['an empty body', 200, ''],
  ["a proxy's error page", 502, '<html>Bad gateway</html>'],
  ['an error of another shape', 500, '{"error":"no"}'],
];
for (const [what, status, body] of unreadable)
  test(`an answer that is ${what} is unreadable`, () =>
    withFakeController(answering(status, body), async (url) => {
      await assert.rejects(new Client({ url }).call(endpoints.health, {}), { code: 'answer_unreadable' });
    }));

const unreachable: readonly (readonly [string, string, string?])[] = [
  ['a port where nobody listens', 'http://127.0.0.1:1'],
  ['a URL without a scheme', '127.0.0.1:8470'],
  ['no URL at all', 'controller'],
  ['a scheme that is not HTTP', 'ftp://127.0.0.1'],
  ['a token that no header can carry', 'http://127.0.0.1:1', 'b\nso'],
];
for (const [what, url, token] of unreachable)
  test(`${what} makes the controller unreachable, and says why`, async () => {
    await assert.rejects(new Client({ url, token }).call(endpoints.health, {}), (error) => {
      assert.ok(error instanceof Problem, String(error));
      assert.equal(error.code, 'controller_unreachable');
      assert.doesNotMatch(error.message, /fetch failed|\{/);
      return true;
    });
  });

test('an answer that breaks off is a lost connection, not a wrong one', () => {
  const breakOff: RequestListener = (_request, response) => {
    response.writeHead(200, { 'content-length': '100' });
    response.write(JSON.stringify(health), () => response.destroy());
  };
  return withFakeController(breakOff, async (url) => {
    await assert.rejects(new Client({ url }).call(endpoints.health, {}), { code: 'controller_unreachable' });
  });
});

test("the caller's own reason ends a call", () => {
  const arrived = Promise.withResolvers<void>();
  return withFakeController(
    () => arrived.resolve(),
    async (url) => {
      const abort = new AbortController();
      const call = new Client({ url }).call(endpoints.health, {}, { signal: abort.signal });
      await arrived.promise;
      abort.abort(new Error('had enough'));
      await assert.rejects(call, /had enough/);
    },
  );
});

test('octets come as a response, and an error instead of them as a problem', async () => {
  const params = { sha256: 'a'.repeat(64) };
  await withFakeController(answering(206, 'octets'), async (url) => {
    const response = await new Client({ url }).fetch(endpoints.fetchArtefact, { params });
    assert.equal(await response.text(), 'octets');
  });
  const missing = problem('artefact_unknown', { facts: params });
  await withFakeController(answering(404, JSON.stringify({ error: missing.toBody() })), async (url) => {
    const call = new Client({ url }).fetch(endpoints.fetchArtefact, { params });
    await assert.rejects(call, { code: 'artefact_unknown' });
  });
});

const invitation = {
  edge: { name: 'e1', journalSeq: 0 },
  joinToken: 'bsj_x',
  expiresAt: '2026-01-01T00:00:00.000Z',
};

test('a POST whose connection broke is sent again under the same key', async () => {
  const keys: (string | undefined)[] = [];
  const breaking: RequestListener = async (request, response) => {
    await request.toArray();
    keys.push(request.headers['idempotency-key'] as string | undefined);
    if (keys.length === 1) return request.socket.destroy();
    if (keys.length === 2)
      return response.writeHead(200, { 'content-length': 99 }).write('{') && response.destroy();
    const busy = problem('idempotency_key_busy');
    if (keys.length === 3) return response.writeHead(409).end(JSON.stringify({ error: busy.toBody() }));
    return response.end(JSON.stringify(invitation));
  };
  await withFakeController(breaking, async (url) => {
    const client = new Client({ url });
    assert.deepEqual(await client.call(endpoints.addEdge, { body: { name: 'e1' } }), invitation);
    assert.equal(keys.length, 4);
    assert.equal(new Set(keys).size, 1);
    assert.match(keys[0] ?? '', /^[0-9a-f-]{36}$/);
  });
});

test('a GET of an operator is sent again where the connection broke or nobody is behind the proxy', async () => {
  let times = 0;
  const breaking: RequestListener = (request, response) => {
    times += 1;
    if (times === 1) return request.socket.destroy();
    if (times === 2) return response.writeHead(502).end('<html>Bad gateway</html>');
    return response.end('[]');
  };
  await withFakeController(breaking, async (url) => {
    assert.deepEqual(await new Client({ url }).call(endpoints.listRules, {}), []);
  });
  assert.equal(times, 3);
});

test('where nobody listens, nobody waits', async () => {
  // The fastest of some: the others tell what else the machine was busy with.
  let fastestMs = Number.POSITIVE_INFINITY;
  for (let turn = 0; turn < 10 && fastestMs >= 200; turn++) {
    const began = performance.now();
    const call = new Client({ url: 'http://127.0.0.1:1' }).call(endpoints.listRules, {});
    await assert.rejects(call, { code: 'controller_unreachable' });
    fastestMs = Math.min(fastestMs, performance.now() - began);
  }
  assert.ok(fastestMs < 200);
});

test('what is neither a GET nor a POST of an operator is sent once', async () => {
  let times = 0;
  const breaking: RequestListener = (request) => {
    times += 1;
    request.socket.destroy();
  };
  await withFakeController(breaking, async (url) => {
    const client = new Client({ url });
    for (const endpoint of [endpoints.health, endpoints.join])
      await assert.rejects(client.call(endpoint, {}), { code: 'controller_unreachable' });
  });
  assert.equal(times, 2);
});
