import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseSubnet } from './subnet.ts';

test('a subnet counts its addresses across octets', () => {
  const subnet = parseSubnet('10.66.16.0/20');
  assert.equal(subnet.netmask, '255.255.240.0');
  assert.equal(subnet.address(1), '10.66.16.1');
  assert.equal(subnet.address(4095), '10.66.31.255');
  assert.throws(() => subnet.address(4096), RangeError);
});

for (const cidr of [
  '10.66.1.0',
  '10.66.1.1/24',
  '10.66.0/24',
  '10.66.300.0/24',
  '10.66.1.0/31',
  '10.66.x.0/24',
]) {
  test(`${cidr} is not a subnet`, () => {
    assert.throws(() => parseSubnet(cidr), RangeError);
  });
}
