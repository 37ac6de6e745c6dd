import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startFakeDhcpSink } from './fake-dhcp-sink.ts';
import { Lab } from './index.ts';

test('firmware speaks on the console and asks for an address', async (t) => {
  await using lab = await Lab.create('machine');
  const segment = await lab.addSegment({ relay: 'dhcrelay' });
  const sink = await startFakeDhcpSink(lab.core);
  const cases = [
    { name: 'bios', firmware: 'bios', says: /SeaBIOS.*iPXE initialising devices/s, architecture: 0 },
    { name: 'uefi', firmware: 'uefi', says: />>Start PXE over IPv4/, architecture: 7 },
    { name: 'uefi-secure', firmware: 'uefi-secure', says: />>Start PXE over IPv4/, architecture: 7 },
    {
      name: 'uefi-http',
      firmware: 'uefi',
      networkBoot: 'http',
      says: />>Start HTTP Boot over IPv4/,
      architecture: 16,
    },
  ] as const;

  for (const { says, architecture, ...options } of cases) {
    await t.test(options.name, async (t) => {
      const machine = await segment.startMachine({ memoryMiB: 256, ...options });
      const { seconds } = await machine.waitFor(says, 120_000);
      const packet = await sink.packetFrom(machine.mac, 60_000);
      t.diagnostic(`console after ${seconds.toFixed(1)} s, DISCOVER after ${machine.seconds.toFixed(1)} s`);
      assert.equal(packet.giaddr, segment.gateway);
      // RFC 4578: option 93 holds the client's architecture.
      assert.match(packet.hex, new RegExp(`5d02${architecture.toString(16).padStart(4, '0')}`));
      assert.equal((await machine.powerOff()).signal, 'SIGKILL');
    });
  }
});

test('a disguised option ROM is nobody that iPXE would be known by', async () => {
  await using lab = await Lab.create('disguise');
  const segments = [
    await lab.addSegment({ relay: 'none' }),
    await lab.addSegment({ relay: 'none' }),
  ] as const;
  await segments[1].disguiseRoms();
  const sink = await startFakeDhcpSink(lab.core);
  const packets = await Promise.all(
    segments.map(async (segment) => {
      const { mac } = await segment.startMachine({ name: 'rom', firmware: 'bios', memoryMiB: 256 });
      return sink.packetFrom(mac, 120_000);
    }),
  );
  // Option 77 of 4 bytes that say iPXE, and the beginning of option 175.
  const known = /4d0469505845.*af30/;
  assert.deepEqual(
    packets.map(({ hex }) => known.test(hex)),
    [true, false],
  );
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
