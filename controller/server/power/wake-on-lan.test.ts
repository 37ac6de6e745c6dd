import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { test } from 'node:test';
import { Bmc, type BmcOf } from '@bootswarm/controller/contract';
import { magicPacket, WakeOnLanDriver } from './wake-on-lan.ts';

const MAC = '52:54:00:00:00:01';
const signal = AbortSignal.timeout(10_000);

test('a magic packet is six octets of ff, sixteen times the MAC, and the password', () => {
  const plain = `${'ff'.repeat(6)}${'525400000001'.repeat(16)}`;
  assert.equal(magicPacket(MAC).toString('hex'), plain);
  assert.equal(magicPacket(MAC, '01:02:03:04:05:06').toString('hex'), `${plain}010203040506`);
});

test('it is sent three times, and nothing else can be done', async () => {
  const socket = createSocket('udp4').bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const heard: string[] = [];
  socket.on('message', (bytes) => heard.push(bytes.toString('hex')));
  const { port } = socket.address();
  const bmc = Bmc.parse({ kind: 'wol', address: '127.0.0.1', port, secret: 'so' }) as BmcOf<'wol'>;
  await using driver = new WakeOnLanDriver({ bmc, mac: MAC, password: '0102.0304.0506' });
  await driver.order('on', signal);
  while (heard.length < 3) await once(socket, 'message');
  socket.close();
  assert.deepEqual(new Set(heard), new Set([magicPacket(MAC, '01:02:03:04:05:06').toString('hex')]));
  assert.equal(await driver.status(), 'unknown');
  await assert.rejects(driver.order('off', signal), { code: 'bmc_unable' });
  assert.throws(() => new WakeOnLanDriver({ bmc, mac: MAC, password: 'long' }), { code: 'bmc_secret_unfit' });
});
