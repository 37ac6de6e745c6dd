import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  ipv4ToNumber,
  isHostOf,
  isIpv4,
  numberToIpv4,
  parseSubnet,
  rangeHolds,
  rangesOverlap,
} from './ipv4.ts';

const address = fc.nat(0xffffffff);

test('an address is the same number back and forth', () => {
  fc.assert(
    fc.property(address, (number) => {
      assert.equal(ipv4ToNumber(numberToIpv4(number)), number);
    }),
  );
});

test('addresses are read strictly, in their one spelling', () => {
  const cases: readonly (readonly [string, boolean])[] = [
    ['0.0.0.0', true],
    ['255.255.255.255', true],
    ['10.1.2.3', true],
    ['256.1.1.1', false],
    ['1.2.3', false],
    ['1.2.3.4.5', false],
    ['1.2.3.4.', false],
    ['.1.2.3.4', false],
    ['01.2.3.4', false],
    ['1.2.3.04', false],
    ['1.2.3.4\n', false],
    [' 1.2.3.4', false],
    ['1.2.3.-4', false],
    ['', false],
  ];
  for (const [text, wanted] of cases) assert.equal(isIpv4(text), wanted, JSON.stringify(text));
  assert.throws(() => ipv4ToNumber('1.2.3'), RangeError);
});

test('a subnet knows its ends and its netmask', () => {
  const cases: readonly (readonly [string, string, string, string])[] = [
    ['10.1.2.0/24', '10.1.2.0', '10.1.2.255', '255.255.255.0'],
    ['10.1.2.77/24', '10.1.2.0', '10.1.2.255', '255.255.255.0'],
    ['10.1.2.4/30', '10.1.2.4', '10.1.2.7', '255.255.255.252'],
    ['192.168.0.0/16', '192.168.0.0', '192.168.255.255', '255.255.0.0'],
    ['200.0.0.0/8', '200.0.0.0', '200.255.255.255', '255.0.0.0'],
    ['1.2.3.4/32', '1.2.3.4', '1.2.3.4', '255.255.255.255'],
    ['1.2.3.4/0', '0.0.0.0', '255.255.255.255', '0.0.0.0'],
  ];
  for (const [cidr, network, broadcast, netmask] of cases) {
    const subnet = parseSubnet(cidr);
    assert.equal(numberToIpv4(subnet.network), network, cidr);
    assert.equal(numberToIpv4(subnet.broadcast), broadcast, cidr);
    assert.equal(subnet.netmask, netmask, cidr);
  }
});

test('what is no subnet is refused', () => {
  for (const text of [
    '10.1.2.0',
    '10.1.2.0/',
    '10.1.2.0/33',
    '10.1.2.0/-1',
    '10.1.2/24',
    '10.1.2.0/24/8',
    '/24',
    '',
  ])
    assert.throws(() => parseSubnet(text), RangeError, text);
});

test('every address of a subnet but the two at its ends is a host', () => {
  fc.assert(
    fc.property(address, fc.integer({ min: 1, max: 30 }), address, (base, prefix, other) => {
      const subnet = parseSubnet(`${numberToIpv4(base)}/${prefix}`);
      assert.equal(isHostOf(subnet, numberToIpv4(subnet.network)), false);
      assert.equal(isHostOf(subnet, numberToIpv4(subnet.broadcast)), false);
      assert.equal(isHostOf(subnet, numberToIpv4(subnet.network + 1)), true);
      assert.equal(isHostOf(subnet, numberToIpv4(other)), other > subnet.network && other < subnet.broadcast);
    }),
  );
});

test('ranges overlap exactly where they share an address', () => {
  const small = fc.tuple(fc.nat(20), fc.nat(20)).map(([a, b]) => [Math.min(a, b), Math.max(a, b)] as const);
  fc.assert(
    fc.property(small, small, (a, b) => {
      const range = ([first, last]: readonly [number, number]) => ({
        first: numberToIpv4(first),
        last: numberToIpv4(last),
      });
      let shared = false;
      for (let n = a[0]; n <= a[1]; n++) shared ||= rangeHolds(range(b), numberToIpv4(n));
      assert.equal(rangesOverlap(range(a), range(b)), shared);
    }),
  );
});
