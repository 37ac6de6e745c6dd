import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { Problem } from '@bootswarm/images/format';
import { EdgeStore } from '../state/edge-store.ts';
import { quietLog } from '../testing/quiet-log.ts';
import { ensureCredentials } from './uplink.ts';

const NEVER = new AbortController().signal;
const SPENT = {
  code: 'join_token_refused',
  message: 'the join token is unknown',
  remedy: 'Ask for another.',
};

/** Takes each join token once; answers 503 as long as it is down. */
class FakeController {
  isDown = false;
  calls = 0;
  readonly #tokens: Set<string>;
  readonly #server = createServer((request, response) => {
    this.calls += 1;
    const token = request.headers.authorization?.replace('Bearer ', '') ?? '';
    const answer = (status: number, body: unknown) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    if (this.isDown) answer(503, {});
    else if (this.#tokens.delete(token))
      answer(200, { name: 'edge1', token: `bse for ${token}`, controllerKey: 'k' });
    else answer(401, { error: SPENT });
  });

  constructor(...tokens: readonly string[]) {
    this.#tokens = new Set(tokens);
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async start(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return this;
  }

  stop(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}

interface Bench {
  readonly controller: FakeController;
  readonly lines: readonly string[];
  readonly ensure: (joinToken?: string, signal?: AbortSignal) => Promise<string | undefined>;
}

async function withBench(tokens: readonly string[], run: (bench: Bench) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'bootswarm-join-'));
  const store = EdgeStore.open(folder, { onLoss: (error) => assert.fail(String(error)) });
  const controller = await new FakeController(...tokens).start();
  const { log, lines } = quietLog();
  const ensure: Bench['ensure'] = async (joinToken, signal = NEVER) => {
    const joining = { store, controllerUrl: controller.url, joinToken, log };
    return (await ensureCredentials(joining, signal))?.token;
  };
  try {
    await run({ controller, lines, ensure });
  } finally {
    controller.stop();
    await store.close();
    await rm(folder, { recursive: true });
  }
}

const refusedWith = (code: string) => (error: unknown) => error instanceof Problem && error.code === code;

describe('the credentials of an edge', () => {
  test('come with a join token, which is spent once however often the edge is started', () =>
    withBench(['t1'], async ({ controller, ensure }) => {
      assert.equal(await ensure('t1'), 'bse for t1');
      assert.equal(await ensure('t1'), 'bse for t1');
      assert.equal(await ensure(), 'bse for t1');
      assert.equal(controller.calls, 1);
    }));

  test('do not come without a join token', () =>
    withBench([], ({ ensure }) => assert.rejects(ensure(), refusedWith('not_joined'))));

  test('do not come with a token that is refused', () =>
    withBench([], ({ ensure }) => assert.rejects(ensure('t1'), refusedWith('join_token_refused'))));

  test('are replaced by a new token', () =>
    withBench(['t1', 't2'], async ({ ensure }) => {
      await ensure('t1');
      assert.equal(await ensure('t2'), 'bse for t2');
    }));

  test('are kept when a new token is refused, and that is said', () =>
    withBench(['t1'], async ({ ensure, lines }) => {
      await ensure('t1');
      assert.equal(await ensure('t2'), 'bse for t1');
      assert.match(lines.at(-1) ?? '', /^warn the join token was refused/);
    }));

  test('are waited for while the controller is down', () =>
    withBench(['t1'], async ({ controller, ensure }) => {
      controller.isDown = true;
      setTimeout(() => {
        controller.isDown = false;
      }, 200);
      assert.equal(await ensure('t1'), 'bse for t1');
      assert.ok(controller.calls > 1);
    }));

  test('are no longer waited for when the edge stops', () =>
    withBench(['t1'], async ({ controller, ensure }) => {
      controller.isDown = true;
      assert.equal(await ensure('t1', AbortSignal.timeout(100)), undefined);
    }));

  test('are kept while the controller is down', () =>
    withBench(['t1'], async ({ controller, ensure }) => {
      await ensure('t1');
      controller.isDown = true;
      assert.equal(await ensure('t1'), 'bse for t1');
    }));
});
