import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startFakeDhcpSink } from './fake-dhcp-sink.ts';
import { Lab } from './index.ts';

test('firmware speaks on the console and asks for an address', async (t) => {
  await using lab = await Lab.create('machine');
  const segment = await lab.addSegment({ relay: 'dhcrelay' });
  const sink = await startFakeDhcpSink(lab.core);
  const cases = [
    { firmware: 'bios', says: /SeaBIOS.*iPXE initialising devices/s, architecture: 0 },
    { firmware: 'uefi', says: />>Start PXE over IPv4/, architecture: 7 },
    { firmware: 'uefi-secure', says: />>Start PXE over IPv4/, architecture: 7 },
  ] as const;

  for (const { firmware, says, architecture } of cases) {
    await t.test(firmware, async (t) => {
      const machine = await segment.startMachine({ name: firmware, firmware, memoryMiB: 256 });
      const { seconds } = await machine.waitFor(says, 120_000);
      const packet = await sink.packetFrom(machine.mac, 60_000);
      t.diagnostic(`console after ${seconds.toFixed(1)} s, DISCOVER after ${machine.seconds.toFixed(1)} s`);
      assert.equal(packet.giaddr, segment.gateway);
      // RFC 4578: option 93 holds the client's architecture.
      assert.match(packet.hex, new RegExp(`5d02000${architecture}`));
      assert.equal((await machine.powerOff()).signal, 'SIGKILL');
    });
  }
});

test('a machine keeps its identity over a power cycle, and hears what is typed', async () => {
  await using lab = await Lab.create('console');
  const segment = await lab.addSegment({ relay: 'none' });
  const node = {
    name: 'node1',
    firmware: 'bios',
    mac: '52:54:00:aa:bb:cc',
    serial: 'SN1',
    memoryMiB: 256,
  } as const;
  for (const _cycle of ['first', 'second']) {
    const machine = await segment.startMachine(node);
    await machine.waitFor(/Press Ctrl-B for the iPXE command line/, 60_000);
    await machine.type('\x02');
    await machine.waitFor(/iPXE> /, 10_000);
    const typedAt = machine.console.text.length;
    await machine.type('echo ${serial} ${net0/mac}\r');
    await machine.waitFor(/SN1 52:54:00:aa:bb:cc/, 10_000, typedAt);
    await machine.powerOff();
  }
});
