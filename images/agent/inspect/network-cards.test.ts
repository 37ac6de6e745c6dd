import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { test } from 'node:test';
import { networkCardFrom } from './network-cards.ts';
import { parseCpuinfo, parseMemTotal } from './processor.ts';

const attributes = {
  type: '1',
  address: '52:54:00:AA:00:01',
  carrier: '1',
  speed: '25000',
  'device/vendor': '0x8086',
  'device/device': '0x159b',
};
const read = (more: object) => (path: string) =>
  ({ ...attributes, ...more })[path as keyof typeof attributes];
const LINKS = { device: '0000:03:00.0', driver: 'ice' };

test('a card is told with its place, driver and link', () => {
  assert.deepEqual(networkCardFrom('eth0', read({}), LINKS), {
    name: 'eth0',
    mac: '52:54:00:aa:00:01',
    hasLink: true,
    driver: 'ice',
    pciAddress: '0000:03:00.0',
    speedMbitPerS: 25_000,
    pciId: '8086:159b',
  });
});

test('a card without a link has no speed, and one that is not on PCI no place there', () => {
  const card = networkCardFrom('eth1', read({ carrier: '0', speed: '-1' }), { device: 'virtio1' });
  assert.deepEqual([card?.hasLink, card?.speedMbitPerS, card?.pciAddress], [false, undefined, undefined]);
});

test('what is no card is left out', () => {
  assert.equal(networkCardFrom('lo', read({ type: '772' }), LINKS), undefined);
  assert.equal(networkCardFrom('br0', read({}), {}), undefined);
  assert.equal(networkCardFrom('ib0', read({ type: '32' }), LINKS), undefined);
});

test('processors are counted by socket, core and thread', () => {
  const block = (processor: number, socket: number, core: number): string =>
    `processor\t: ${processor}\nmodel name\t: Intel(R)  Xeon(R)\nphysical id\t: ${socket}\ncore id\t\t: ${core}\n`;
  const text = [block(0, 0, 0), block(1, 0, 0), block(2, 0, 1), block(3, 1, 0)].join('\n');
  assert.deepEqual(parseCpuinfo(text), { model: 'Intel(R) Xeon(R)', sockets: 2, cores: 3, threads: 4 });
  assert.deepEqual(parseCpuinfo('processor : 0\n\nprocessor : 1\n'), { sockets: 1, cores: 2, threads: 2 });
  assert.deepEqual(parseCpuinfo(''), { sockets: 0, cores: 0, threads: 0 });
});

test('this machine is told as it is', () => {
  assert.equal(parseCpuinfo(readFileSync('/proc/cpuinfo', 'utf8')).threads, availableParallelism());
  assert.ok((parseMemTotal(readFileSync('/proc/meminfo', 'utf8')) ?? 0) > 2 ** 28);
  assert.equal(parseMemTotal('nothing'), undefined);
});
