import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { describe, test } from 'node:test';
import type { AgentReport } from '@bootswarm/controller/contract';
import { serve } from '@hono/node-server';
import { Hono } from 'hono';
import { quietLog } from '../testing/quiet-log.ts';
import { AgentDesk } from './agent-desk.ts';
import { agentRoutes, isForAgents } from './routes.ts';

const mac = '52:54:00:00:00:01';
const report: AgentReport = {
  format: 1,
  mac,
  addresses: [],
  version: '1',
  kernel: '6.1',
  memoryBytes: 1,
  uptimeSeconds: 1,
  stage: 'up',
  detail: 'up',
};

/** Runs against the routes on a real socket; whoever asks has `address`. */
async function withRoutes(
  run: (
    ask: (path: string, body?: string | ReadableStream) => Promise<Response>,
    told: string[],
  ) => Promise<void>,
  address = '10.1.2.100',
): Promise<void> {
  const told: string[] = [];
  const desk = new AgentDesk({
    holderOf: (asked) =>
      asked === '10.1.2.100'
        ? { segment: 'lab', address: asked, mac, state: 'bound', expiresAtMs: Number.MAX_SAFE_INTEGER }
        : undefined,
    dutyOf: () => ({ intent: { kind: 'inspect' } }),
    tell: (_, detail) => told.push(detail),
    log: quietLog().log,
  });
  const app = new Hono().route('/', agentRoutes(desk, () => address) as never);
  const server = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' });
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  try {
    await run(
      (path, body) =>
        fetch(url + path, body === undefined ? {} : ({ method: 'POST', body, duplex: 'half' } as never)),
      told,
    );
  } finally {
    server.close();
    (server as { closeAllConnections?: () => void }).closeAllConnections?.();
  }
}

describe('what an edge answers to agents', () => {
  test('takes a report and a log, and gives an order', () =>
    withRoutes(async (ask, told) => {
      assert.equal((await ask('/agent/report', JSON.stringify(report))).status, 200);
      assert.equal((await ask('/agent/log', '{"lines":["one"]}')).status, 200);
      assert.equal(told.length, 1);
      const order = (await (await ask('/agent/intent?waitSeconds=9')).json()) as { intent: unknown };
      assert.deepEqual(order.intent, { kind: 'inspect' });
    }));

  const bad: readonly { name: string; path: string; body: string | ReadableStream; status: number }[] = [
    { name: 'no JSON', path: '/agent/report', body: '{', status: 400 },
    { name: 'another shape', path: '/agent/report', body: '{"format":2}', status: 400 },
    {
      name: 'a field that nobody knows',
      path: '/agent/report',
      body: JSON.stringify({ ...report, more: 1 }),
      status: 400,
    },
    {
      name: "another machine's MAC",
      path: '/agent/report',
      body: JSON.stringify({ ...report, mac: '52:54:00:00:00:02' }),
      status: 403,
    },
    { name: 'a body that is too large', path: '/agent/report', body: ' '.repeat(70_000), status: 413 },
    {
      name: 'a body that is too large and tells no length',
      path: '/agent/log',
      body: ReadableStream.from(Array.from({ length: 80 }, () => Buffer.alloc(1000, 0x20))) as never,
      status: 413,
    },
    {
      name: 'more lines than may come at once',
      path: '/agent/log',
      body: JSON.stringify({ lines: Array.from({ length: 101 }, () => 'x') }),
      status: 400,
    },
  ];
  for (const { name, path, body, status } of bad)
    test(`refuses ${name}`, () =>
      withRoutes(async (ask, told) => {
        const answer = await ask(path, body);
        assert.equal(answer.status, status);
        const { code, remedy } = (await answer.json()) as { code: string; remedy: string };
        assert.match(code, /^agent_/);
        assert.notEqual(remedy, '');
        assert.deepEqual(told, []);
      }));

  test('refuses who has no lease of this edge', () =>
    withRoutes(async (ask) => {
      assert.equal((await ask('/agent/report', JSON.stringify(report))).status, 403);
      assert.equal((await ask('/agent/intent')).status, 403);
    }, '10.9.9.9'));
});

test('nothing but reports and logs may have a body', () => {
  assert.ok(isForAgents('POST', '/agent/report'));
  assert.ok(!isForAgents('GET', '/agent/report'));
  assert.ok(!isForAgents('POST', '/agent/intent'));
  assert.ok(!isForAgents('POST', '/agent/report/../../boot.ipxe'));
  assert.ok(!isForAgents('POST', undefined));
});
