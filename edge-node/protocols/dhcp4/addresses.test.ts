import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  broadcastOf,
  formatMac,
  ipv4FromNumber,
  ipv4ToNumber,
  netmaskOf,
  networkOf,
  parseMac,
  subnetContains,
} from './addresses.ts';

test('addresses are numbers and back', () => {
  for (const [dotted, number] of [
    ['0.0.0.0', 0],
    ['10.99.0.1', 0x0a630001],
    ['255.255.255.255', 0xffffffff],
  ] as const) {
    assert.equal(ipv4ToNumber(dotted), number);
    assert.equal(ipv4FromNumber(number), dotted);
  }
});

test('what is no address is refused', () => {
  for (const text of [
    '',
    '1.2.3',
    '1.2.3.4.5',
    '1.2.3.256',
    '01.2.3.4',
    '1.2.3.4.',
    '1.2.3.4 ',
    '::1',
    '1..2.3',
  ]) {
    assert.throws(() => ipv4ToNumber(text), RangeError, text);
  }
  for (const number of [-1, 2 ** 32, 1.5, Number.NaN])
    assert.throws(() => ipv4FromNumber(number), RangeError);
});

const SUBNETS = [
  {
    cidr: '10.99.0.0/24',
    network: '10.99.0.0',
    mask: '255.255.255.0',
    last: '10.99.0.255',
    not: '10.99.1.0',
  },
  {
    cidr: '10.99.0.77/25',
    network: '10.99.0.0',
    mask: '255.255.255.128',
    last: '10.99.0.127',
    not: '10.99.0.128',
  },
  {
    cidr: '192.0.2.1/32',
    network: '192.0.2.1',
    mask: '255.255.255.255',
    last: '192.0.2.1',
    not: '192.0.2.2',
  },
];
for (const { cidr, network, mask, last, not } of SUBNETS) {
  test(`${cidr} spans ${network} to ${last}`, () => {
    assert.equal(networkOf(cidr), network);
    assert.equal(netmaskOf(cidr), mask);
    assert.equal(broadcastOf(cidr), last);
    assert.ok(subnetContains(cidr, network) && subnetContains(cidr, last));
    assert.ok(!subnetContains(cidr, not));
  });
}

test('a subnet of no bits holds every address', () => {
  assert.equal(netmaskOf('0.0.0.0/0'), '0.0.0.0');
  assert.ok(subnetContains('0.0.0.0/0', '255.1.2.3'));
});

test('what is no subnet is refused', () => {
  for (const cidr of ['10.0.0.0', '10.0.0.0/', '10.0.0.0/33', '10.0.0.0/8/8', '10.0.0/8', '10.0.0.0/-1']) {
    assert.throws(() => networkOf(cidr), RangeError, cidr);
  }
});

test('MACs are read in both common forms and written in one', () => {
  assert.equal(formatMac(parseMac('52-54-00-AA-00-01')), '52:54:00:aa:00:01');
  assert.equal(formatMac(parseMac('52:54:00:aa:00:01')), '52:54:00:aa:00:01');
  assert.throws(() => parseMac('52:54:00:aa:00'), RangeError);
});
