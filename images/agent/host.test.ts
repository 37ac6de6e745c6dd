import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, describe, test } from 'node:test';
import { AgentFacts } from '@bootswarm/controller/contract';
import { Host } from './host.ts';

describe('a machine by /proc and /sys', () => {
  const root = mkdtempSync(join(tmpdir(), 'bootswarm-host-'));
  after(() => rmSync(root, { recursive: true }));
  const put = (path: string, text: string): void => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  };
  const card = (name: string, mac: string, driver: string | undefined, carrier: string): void => {
    put(`sys/class/net/${name}/type`, '1\n');
    put(`sys/class/net/${name}/address`, `${mac}\n`);
    put(`sys/class/net/${name}/carrier`, carrier);
    const device = `sys/devices/${name}`;
    mkdirSync(join(root, device), { recursive: true });
    symlinkSync(`../../../devices/${name}`, join(root, `sys/class/net/${name}/device`));
    if (driver !== undefined) symlinkSync(`../../bus/drivers/${driver}`, join(root, device, 'driver'));
  };
  put('proc/cmdline', 'quiet\n');
  put('proc/uptime', '12.34 56.78\n');
  put('sys/class/tty/console/active', 'tty0 ttyS0\n');
  put('sys/class/dmi/id/product_uuid', '00112233-4455-6677-8899-AABBCCDDEEFF\n');
  put('sys/class/dmi/id/sys_vendor', 'QEMU\u0007 \n');
  put('sys/class/dmi/id/product_serial', '\n');
  card('eth1', '52:54:00:00:00:01', 'virtio_net', '1\n');
  card('eth0', '52:54:00:00:00:00', undefined, '');
  put('sys/class/net/lo/type', '772\n');
  put('sys/class/net/br0/type', '1\n');
  put('sys/class/net/br0/address', '52:54:00:00:00:09\n');
  put('sys/block/vda/size', '2048\n');
  put('sys/block/loop0/size', '99\n');
  put('sys/block/sda/size', 'what?\n');
  put('sys/block/sda/device/model', 'Disk of a vendor \n');
  const host = new Host(root);

  test('its cards, without loops and bridges', async () => {
    assert.deepEqual(await host.links(), [
      { name: 'eth0', mac: '52:54:00:00:00:00', driver: undefined, hasLink: false },
      { name: 'eth1', mac: '52:54:00:00:00:01', driver: 'virtio_net', hasLink: true },
    ]);
  });

  test('its facts, as the contract wants them', async () => {
    const facts = await host.facts();
    assert.deepEqual(AgentFacts.parse(facts), facts);
    assert.deepEqual(facts.disks, [
      { name: 'sda', bytes: 0, model: 'Disk of a vendor' },
      { name: 'vda', bytes: 1024 * 1024 },
    ]);
    assert.equal(facts.manufacturer, 'QEMU');
    assert.equal(facts.serial, undefined);
    assert.equal(facts.firmware, 'bios');
  });

  test('its UUID, uptime and consoles', async () => {
    assert.equal(await host.uuid(), '00112233-4455-6677-8899-aabbccddeeff');
    assert.equal(await host.uptimeSeconds(), 12.34);
    assert.deepEqual(await host.consoles(), ['tty0', 'ttyS0']);
  });

  test('a machine that shows nothing is a machine still', async () => {
    const bare = new Host(join(root, 'nowhere'));
    assert.deepEqual(await bare.links(), []);
    assert.deepEqual((await bare.facts()).disks, []);
    assert.equal(await bare.uuid(), undefined);
    assert.equal(await bare.uptimeSeconds(), 0);
    assert.equal(await bare.commandLine(), '');
  });
});
