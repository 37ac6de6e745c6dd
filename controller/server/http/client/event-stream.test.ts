import assert from 'node:assert/strict';
import { type AddressInfo, connect as connectTcp, createServer, type Server, type Socket } from 'node:net';
import { test } from 'node:test';
import { connect } from '@bootswarm/controller/client';
import type { Event } from '@bootswarm/controller/contract';
import { ControllerUnderTest } from '../../testing/controller-under-test.ts';

/** Stands between a client and a controller, and cuts what goes through it. */
class BreakableRelay implements AsyncDisposable {
  readonly #sockets = new Set<Socket>();
  readonly #server: Server;

  constructor(controllerUrl: string) {
    const port = Number(new URL(controllerUrl).port);
    this.#server = createServer((inward) => {
      const onward = connectTcp(port, '127.0.0.1');
      inward.pipe(onward).pipe(inward);
      for (const [socket, other] of [
        [inward, onward],
        [onward, inward],
      ] as const) {
        this.#sockets.add(socket);
        socket.on('error', () => other.destroy()).on('close', () => other.destroy());
      }
    });
  }

  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#sockets.clear();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

test('each event comes once and in order, however often the connection breaks', async () => {
  await using controller = await ControllerUnderTest.start();
  await using relay = new BreakableRelay(controller.url);
  const client = connect({ url: await relay.start(), token: controller.operatorToken });
  const direct = connect({ url: controller.url, token: controller.operatorToken });
  const stop = new AbortController();
  const seen: Event[] = [];
  const following = (async () => {
    for await (const event of client.events.follow({ kind: 'edge', after: 0 }, { signal: stop.signal })) {
      seen.push(event);
      if (seen.length % 3 === 0) relay.cut();
      if (seen.length === 12) stop.abort();
    }
  })();
  for (let number = 1; number <= 12; number++) await direct.edges.add({ name: `edge${number}` });
  await following;
  assert.deepEqual(
    seen.map(({ subject }) => subject),
    Array.from({ length: 12 }, (_, index) => `edge${index + 1}`),
  );
});

test('without a place, events from now on are followed, and the end is silent', async () => {
  await using controller = await ControllerUnderTest.start();
  const client = connect({ url: controller.url, token: controller.operatorToken });
  await client.edges.add({ name: 'before' });
  const stop = new AbortController();
  const events = client.events.follow({ kind: 'edge' }, { signal: stop.signal })[Symbol.asyncIterator]();
  const first = events.next();
  let isTold = false;
  const told = first.finally(() => {
    isTold = true;
  });
  // When the stream begins nobody but the controller knows: one of these comes after that.
  for (let number = 0; !isTold; number++) await client.edges.add({ name: `after${number}` });
  assert.match((await told).value?.subject ?? '', /^after\d+$/);
  stop.abort();
  assert.deepEqual(await events.next(), { value: undefined, done: true });
});

test('what does not pass is thrown, and not tried again', async () => {
  await using controller = await ControllerUnderTest.start();
  const client = connect({ url: controller.url, token: 'bso_wrong' });
  await assert.rejects(
    async () => {
      for await (const event of client.events.follow({ after: 0 })) assert.fail(event.kind);
    },
    { code: 'token_missing' },
  );
});
