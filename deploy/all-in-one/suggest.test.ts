import assert from 'node:assert/strict';
import { test } from 'node:test';
import { suggestSegment } from './suggest.ts';

const on = (cidr: string): Parameters<typeof suggestSegment>[1] => [
  { family: 'IPv6', cidr: 'fe80::1/64', address: 'fe80::1' },
  { family: 'IPv4', cidr, address: cidr.split('/')[0] ?? '' },
];

test('the upper half of the subnet is the pool', () => {
  assert.equal(
    suggestSegment('eth1', on('10.1.2.3/24'), 'local'),
    'segment add eth1 --subnet 10.1.2.0/24 --pool 10.1.2.128-10.1.2.254 --edge local',
  );
});

test("the edge's own address is left out of the pool", () => {
  assert.equal(
    suggestSegment('br0.7', on('10.1.2.200/24'), 'local'),
    'segment add br0-7 --subnet 10.1.2.0/24 --pool 10.1.2.128-10.1.2.199 10.1.2.201-10.1.2.254 --edge local',
  );
  assert.equal(
    suggestSegment('eth1', on('10.1.2.254/24'), 'local'),
    'segment add eth1 --subnet 10.1.2.0/24 --pool 10.1.2.128-10.1.2.253 --edge local',
  );
});
