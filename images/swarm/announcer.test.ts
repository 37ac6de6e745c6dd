import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type Announce,
  compactPeers,
  encodeAnnounceAnswer,
  encodeAnnounceRefusal,
  type PeerAddress,
  parseAnnounce,
} from '@bootswarm/images/format';
import { keepAnnouncing } from './announcer.ts';

const INFOHASH = 'ab'.repeat(20);
const NEIGHBOUR = { host: '10.1.2.3', port: 6881 };
const answerOf = (peers: readonly PeerAddress[] = [NEIGHBOUR]): Uint8Array =>
  encodeAnnounceAnswer({
    intervalSeconds: 1800,
    minIntervalSeconds: 15,
    complete: 1,
    incomplete: 1,
    peers: compactPeers(peers),
  });

/** A tracker that answers as each test says, and a peer that announces to it until the test is over. */
async function withPeer(
  answer: (announce: Announce, response: ServerResponse) => void,
  run: (peer: {
    readonly announces: readonly Announce[];
    readonly told: readonly string[];
    readonly finish: () => void;
    readonly stop: () => Promise<void>;
    /** Resolves when so many announces came, and when the peer was told so many things. */
    readonly came: (count: number) => Promise<void>;
    readonly heard: (count: number) => Promise<void>;
  }) => Promise<void>,
): Promise<void> {
  const announces: Announce[] = [];
  const told: string[] = [];
  const server = createServer((request, response) => {
    const announce = parseAnnounce(request.url?.split('?')[1] ?? '');
    announces.push(announce);
    answer(announce, response);
    server.emit('announced');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const stop = new AbortController();
  const finished = Promise.withResolvers<void>();
  let left = 1000;
  const running = keepAnnouncing(
    {
      trackerUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/announce`,
      infohash: INFOHASH,
      peerId: new Uint8Array(20),
      port: 7000,
      leftBytes: () => left,
      finished: finished.promise,
      onPeers: (peers) => told.push(peers.map(({ host, port }) => `${host}:${port}`).join(' ')),
      onFailure: ({ message }) => told.push(message),
    },
    stop.signal,
  );
  try {
    await run({
      announces,
      told,
      finish: () => {
        left = 0;
        finished.resolve();
      },
      stop: async () => {
        stop.abort();
        await running;
      },
      came: async (count) => {
        while (announces.length < count) await once(server, 'announced');
      },
      heard: async (count) => {
        while (told.length < count) await sleep(5);
      },
    });
  } finally {
    stop.abort();
    await running;
    server.close();
    server.closeAllConnections();
  }
}

test('a peer says that it starts, that it has everything, and that it stops', { timeout: 10_000 }, () =>
  withPeer(
    (_, response) => response.end(answerOf()),
    async ({ announces, told, finish, stop, heard }) => {
      await heard(1);
      finish();
      await heard(2);
      await stop();
      assert.deepEqual(
        announces.map(({ event, left }) => [event, left]),
        [
          ['started', 1000],
          ['completed', 0],
          ['stopped', 0],
        ],
      );
      assert.deepEqual(announces[0], {
        infohash: INFOHASH,
        port: 7000,
        left: 1000,
        event: 'started',
        wantedPeers: undefined,
      });
      assert.deepEqual(told, ['10.1.2.3:6881', '10.1.2.3:6881']);
    },
  ),
);

test('a peer that is refused tries again, and starts only once', { timeout: 20_000 }, () => {
  const answers = [
    (response: ServerResponse) => response.writeHead(500).end(),
    (response: ServerResponse) => response.end(encodeAnnounceRefusal('not here')),
    (response: ServerResponse) => response.end(answerOf([])),
  ];
  return withPeer(
    (_, response) => answers.shift()?.(response),
    async ({ announces, told, came }) => {
      await came(3);
      assert.deepEqual(
        announces.map(({ event }) => event),
        ['started', 'started', 'started'],
      );
      assert.deepEqual(told.slice(0, 2), ['the tracker answered 500', 'not here']);
    },
  );
});

test('an answer without end is not taken in', { timeout: 10_000 }, () =>
  withPeer(
    (_, response) => {
      const chunk = Buffer.alloc(64 * 1024);
      const flood = (): void => {
        while (!response.destroyed && response.write(chunk));
      };
      response.on('drain', flood);
      flood();
    },
    async ({ told, heard }) => {
      await heard(1);
      assert.deepEqual(told, ['the tracker answered more than 65536 bytes']);
    },
  ),
);
