import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatMac, ipv4FromNumber, ipv4ToNumber, parseCidr } from './addresses.ts';

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
  { cidr: '10.99.0.0/24', network: '10.99.0.0', prefixBits: 24 },
  { cidr: '10.99.0.177/25', network: '10.99.0.128', prefixBits: 25 },
  { cidr: '192.0.2.1/32', network: '192.0.2.1', prefixBits: 32 },
  { cidr: '255.1.2.3/0', network: '0.0.0.0', prefixBits: 0 },
];
for (const { cidr, network, prefixBits } of SUBNETS) {
  test(`${cidr} is the subnet of ${network}`, () => {
    assert.deepEqual(parseCidr(cidr), { network: ipv4ToNumber(network), prefixBits });
  });
}

test('what is no subnet is refused', () => {
  for (const cidr of ['10.0.0.0', '10.0.0.0/', '10.0.0.0/33', '10.0.0.0/8/8', '10.0.0/8', '10.0.0.0/-1']) {
    assert.throws(() => parseCidr(cidr), RangeError, cidr);
  }
});

test('a MAC is written in lower case with colons', () => {
  assert.equal(formatMac(Uint8Array.of(0x52, 0x54, 0, 0xaa, 0, 1)), '52:54:00:aa:00:01');
});
