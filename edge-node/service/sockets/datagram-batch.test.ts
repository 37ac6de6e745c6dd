import assert from 'node:assert/strict';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { closeUdp, openUdpOn, waitReadable } from './bound-udp.ts';
import { DatagramBatch } from './datagram-batch.ts';

const CAPACITY = 8;
const LONGEST = 100;
let peer: Socket;
let heard: Buffer[] = [];
let port = 0;
let fd = -1;

before(async () => {
  peer = createSocket('udp4').bind(0, '127.0.0.1');
  await once(peer, 'listening');
  peer.on('message', (bytes) => heard.push(bytes));
  // A port that was free a moment ago.
  const probe = createSocket('udp4').bind(0, '127.0.0.1');
  await once(probe, 'listening');
  port = probe.address().port;
  probe.close();
  await once(probe, 'close');
  fd = openUdpOn('lo', port);
});

after(() => {
  closeUdp(fd);
  peer.close();
});

test('what waits comes in batches, byte for byte, with its source; what is too long is cut', async () => {
  const batch = new DatagramBatch(CAPACITY, LONGEST);
  assert.deepEqual(batch.receive(fd), []);
  const sent = Array.from({ length: 20 }, (_, number) => Buffer.alloc(number * 8, number));
  for (const bytes of sent) peer.send(bytes, port, '127.0.0.1');
  const received: Buffer[] = [];
  while (received.length < sent.length) {
    waitReadable([fd], 1000);
    const datagrams = batch.receive(fd);
    assert.ok(datagrams.length <= CAPACITY);
    for (const { bytes, address, port: source } of datagrams) {
      assert.deepEqual([address, source], ['127.0.0.1', peer.address().port]);
      received.push(Buffer.from(bytes));
    }
    await sleep(1);
  }
  assert.deepEqual(
    received,
    sent.map((bytes) => bytes.subarray(0, LONGEST)),
  );
});

test('more than the capacity is sent, in order, and one that is refused does not stop those behind it', async () => {
  const batch = new DatagramBatch(CAPACITY, LONGEST);
  const to = (bytes: Uint8Array, address = '127.0.0.1') => ({ bytes, address, port: peer.address().port });
  const datagrams = Array.from({ length: 50 }, (_, number) => to(Buffer.alloc(number, number)));
  heard = [];
  // Nobody routes there from an interface that only knows itself.
  const refused = batch.send(fd, [
    ...datagrams.slice(0, 3),
    to(Buffer.of(1), '192.0.2.1'),
    ...datagrams.slice(3),
  ]);
  for (let tries = 0; tries < 200 && heard.length < datagrams.length; tries++) await sleep(5);
  assert.deepEqual(
    heard,
    datagrams.map(({ bytes }) => bytes),
  );
  assert.ok(refused <= 1);
});

test('waiting ends when the time is over', () => {
  const startedAt = performance.now();
  waitReadable([fd], 30);
  assert.ok(performance.now() - startedAt >= 29);
});
