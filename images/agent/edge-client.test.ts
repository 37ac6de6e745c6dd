import assert from 'node:assert/strict';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, test } from 'node:test';
import { EdgeClient, EdgeError } from './edge-client.ts';

/** Runs against an edge that answers as `listener` does. */
async function withEdge(
  listener: RequestListener,
  run: (client: EdgeClient) => Promise<void>,
): Promise<void> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  try {
    await run(new EdgeClient(`http://127.0.0.1:${port}`, new AbortController().signal));
  } finally {
    server.close();
    server.closeAllConnections();
  }
}

const answering =
  (status: number, body: string): RequestListener =>
  (_, response) =>
    void response.writeHead(status).end(body);

describe('the edge as an agent sees it', () => {
  test('an order is read as the contract says', () =>
    withEdge(answering(200, '{"token":"t","intent":{"kind":"inspect"}}'), async (client) => {
      assert.deepEqual(await client.order(undefined), { token: 't', intent: { kind: 'inspect' } });
    }));

  test('the token of the last order goes along, with the longest wait', async () => {
    const asked: (string | undefined)[] = [];
    await withEdge(
      (request, response) => {
        asked.push(request.url);
        response.end('{"token":"t","intent":{"kind":"local"}}');
      },
      async (client) => {
        await client.order('t');
        assert.deepEqual(asked, ['/agent/intent?swarm=1&after=t&waitSeconds=50']);
      },
    );
  });

  test('what it refuses has the name that the edge gives it', () =>
    withEdge(
      answering(409, '{"code":"ticket_spent","message":"m","remedy":"r","more":1}'),
      async (client) => {
        const error = await client.begin('t', 'plan').catch((each: EdgeError) => each);
        assert.equal(error?.isRefusal, true);
        assert.deepEqual(error?.refusal, { code: 'ticket_spent', message: 'm', remedy: 'r' });
      },
    ));

  const bad: readonly { name: string; listener: RequestListener }[] = [
    { name: 'no JSON', listener: answering(200, '<html>') },
    {
      name: 'an intent that nobody knows',
      listener: answering(200, '{"token":"t","intent":{"kind":"explode"}}'),
    },
    { name: 'no intent', listener: answering(200, '{"token":"t"}') },
    { name: 'an error', listener: answering(500, 'the edge failed') },
    { name: 'an answer without end', listener: answering(200, 'x'.repeat(100_000)) },
    { name: 'a closed connection', listener: (request) => void request.socket.destroy() },
    {
      name: 'a way to elsewhere',
      listener: (_, response) => void response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end(),
    },
  ];
  for (const { name, listener } of bad)
    test(`${name} is one error, to be tried again`, () =>
      withEdge(listener, async (client) => {
        await assert.rejects(client.order(undefined), EdgeError);
      }));
});
