import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { clockAgainst, firmwareFacts, interfaceFacts, portFacts } from './probe-host.ts';

for (const behind of [0, 120, -45])
  test(`a controller whose clock is ${behind} s behind is seen so, to a second`, async () => {
    const server = createServer((_, response) => {
      response.setHeader('date', new Date(Date.now() - behind * 1000).toUTCString());
      response.end();
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    try {
      const found = await clockAgainst(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
      assert.ok(
        'aheadSeconds' in found && Math.abs(found.aheadSeconds - behind) < 1.5,
        JSON.stringify(found),
      );
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });

test('a controller that is not there says why', async () => {
  const found = await clockAgainst('http://127.0.0.1:1');
  assert.ok('reason' in found && found.reason !== '', JSON.stringify(found));
});

test('who listens at a TCP port is found, at this address and at any, and nobody else', async () => {
  for (const [address, isHeld] of [
    ['127.0.0.1', true],
    ['0.0.0.0', true],
    ['::', true],
    ['127.0.0.2', false],
  ] as const) {
    const server = createServer().listen(0, address).unref();
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const swarm = portFacts(['127.0.0.1'], { httpPort: 1, swarmPort: port }).at(-1);
    assert.deepEqual(
      swarm?.holders.map(({ pid }) => pid),
      isHeld ? [process.pid] : [],
      address,
    );
    server.close();
    await once(server, 'close');
  }
});

test('a UDP socket does not hold a TCP port', async () => {
  const socket = createSocket('udp4').unref();
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  assert.deepEqual(
    portFacts(['127.0.0.1'], { httpPort: 1, swarmPort: socket.address().port }).at(-1)?.holders,
    [],
  );
  socket.close();
});

test('the loopback is up', () => {
  const { hasCarrier, mtuBytes } = interfaceFacts('lo', '127.0.0.1');
  assert.equal(hasCarrier, true);
  assert.ok(mtuBytes >= 1500);
  assert.equal(interfaceFacts('none', '127.0.0.1').hasCarrier, false);
});

test('every boot file is looked at', () => {
  const names = firmwareFacts().map(({ name }) => name);
  assert.ok(names.includes('undionly.kpxe') && names.includes('snponly.efi'), names.join());
});
