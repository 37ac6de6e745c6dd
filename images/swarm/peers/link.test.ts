import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { test } from 'node:test';
import { encodeHandshake, type Handshake } from './handshake.ts';
import { PeerLink } from './link.ts';
import type { Message } from './messages.ts';

const GREETING: Handshake = {
  infohash: new Uint8Array(20).fill(7),
  peerId: new Uint8Array(20).fill(8),
  fast: true,
  extended: false,
};
const UNCHOKE = Buffer.from([0, 0, 0, 1, 1]);

const CASES: readonly { name: string; change: (socket: Socket) => void; isHandedOver: boolean }[] = [
  { name: 'whose handle can read into memory of ours', change: () => {}, isHandedOver: true },
  {
    name: 'whose handle cannot, as in another Node',
    change: (socket) =>
      Object.assign((socket as unknown as { _handle: object })._handle, { useUserBuffer: 0 }),
    isHandedOver: false,
  },
];

for (const { name, change, isHandedOver } of CASES)
  test(`a connection that was taken in, ${name}, hears, answers, and tells its end once`, async () => {
    const server = createServer({ pauseOnConnect: true }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
    const [socket] = (await once(server, 'connection')) as [Socket];
    change(socket);
    const heard: (Message | Handshake)[] = [];
    const [said, closed] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    let ends = 0;
    const link = PeerLink.accept(
      socket,
      { host: '127.0.0.1', port: 1 },
      {
        onHandshake: (handshake) => {
          heard.push(handshake);
          const listener = {
            onMessage: (message: Message) => {
              heard.push(message);
              said.resolve();
            },
            onBlockStart: () => undefined,
            onBlockBytes: () => {},
            onBlockEnd: () => {},
          };
          return { listener, limits: { pieceCount: 1, mostBlockBytes: 16_384 } };
        },
        onClosed: () => {
          ends += 1;
          closed.resolve();
        },
      },
    );
    assert.equal(socket.destroyed, isHandedOver);
    client.write(encodeHandshake(GREETING));
    client.write(UNCHOKE);
    await said.promise;
    assert.deepEqual(
      heard.map((each) => ('type' in each ? each.type : Buffer.from(each.peerId).toString('hex'))),
      ['08'.repeat(20), 'unchoke'],
    );
    link.send(UNCHOKE);
    const [answer] = (await once(client, 'data')) as [Buffer];
    assert.deepEqual(answer, UNCHOKE);
    client.end();
    await closed.promise;
    assert.equal(ends, 1);
    assert.equal(link.isClosed, true);
    server.close();
    await once(server, 'close');
  });
