import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { describe, test } from 'node:test';
import type { AgentReport } from '@bootswarm/controller/contract';
import { serve } from '@hono/node-server';
import { Hono } from 'hono';
import { quietLog } from '../testing/quiet-log.ts';
import { AgentDesk } from './agent-desk.ts';
import { problem } from './problems.ts';
import { agentRoutes, isForAgents } from './routes.ts';
import { WorkBoard } from './work-board.ts';

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
    swarmFor: () => undefined,
    board: new WorkBoard(),
    tell: (_, detail) => told.push(detail),
    log: quietLog().log,
  });
  const refuse = async (): Promise<never> => {
    throw problem('ticket_forged');
  };
  const works = { begin: refuse, end: refuse, firstBoot: async () => {} };
  const inspections = { take: async () => {} };
  const whoAsks = () => ({ address, httpUrl: 'http://10.1.2.1:8480' });
  const app = new Hono().route('/', agentRoutes({ desk, works, inspections }, whoAsks) as never);
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

  test('refuses a ticket by name', () =>
    withRoutes(async (ask) => {
      for (const [path, rest] of [
        ['/agent/begin', { plan: '' }],
        ['/agent/end', { outcome: 'done', detail: '' }],
      ] as const) {
        const answer = await ask(path, JSON.stringify({ ticket: 'x', ...rest }));
        assert.equal(answer.status, 409);
        assert.equal(((await answer.json()) as { code: string }).code, 'ticket_forged');
      }
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

  test('takes an inspection of some size, and none without end', () =>
    withRoutes(async (ask) => {
      const system = { product: 'x' };
      const inspection = {
        format: 1,
        takenAt: '2026-01-01T00:00:00.000Z',
        firmware: 'uefi',
        system,
        processors: { sockets: 1, cores: 1, threads: 1 },
        memory: { totalBytes: 1, modules: [] },
        disks: Array.from({ length: 600 }, (_, n) => ({
          name: `sd${n}`,
          sizeBytes: 1,
          serial: 'x'.repeat(100),
        })),
        cards: [],
      };
      const text = JSON.stringify(inspection);
      assert.ok(text.length > 70_000);
      assert.equal((await ask('/agent/inspection', text)).status, 200);
      assert.equal((await ask('/agent/inspection', `${' '.repeat(1024 * 1024)}{}`)).status, 413);
    }));

  test('answers the first boot of an installed system without a body', () =>
    withRoutes(async (ask) => {
      const answer = await ask('/first-boot/some-ticket');
      assert.deepEqual([answer.status, await answer.text()], [200, 'noted\n']);
    }, '10.9.9.9'));

  test('refuses who has no lease of this edge', () =>
    withRoutes(async (ask) => {
      assert.equal((await ask('/agent/report', JSON.stringify(report))).status, 403);
      assert.equal((await ask('/agent/intent')).status, 403);
    }, '10.9.9.9'));
});

test('nothing but what agents post may have a body', () => {
  assert.ok(isForAgents('POST', '/agent/report'));
  assert.ok(!isForAgents('GET', '/agent/report'));
  for (const path of ['/agent/begin', '/agent/end', '/agent/inspection'])
    assert.ok(isForAgents('POST', path), path);
  assert.ok(!isForAgents('POST', '/agent/intent'));
  assert.ok(!isForAgents('POST', '/first-boot/ticket'));
  assert.ok(!isForAgents('POST', '/agent/report/../../boot.ipxe'));
  assert.ok(!isForAgents('POST', undefined));
});
