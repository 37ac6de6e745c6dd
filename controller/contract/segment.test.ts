import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { DhcpPolicy } from './dhcp-policy.ts';
import { Segment } from './segment.ts';
import { policyProblem, segmentProblem } from './segment-problem.ts';

/** As an operator writes it: 10.1.2.0/24 unless `changes` say otherwise. */
function segment(changes: Record<string, unknown> = {}): Segment {
  return Segment.parse({
    name: 'seg2',
    subnet: '10.1.2.0/24',
    pools: [{ first: '10.1.2.100', last: '10.1.2.199' }],
    edges: ['edge1'],
    ...changes,
  });
}

function pool(first: string, last: string): { first: string; last: string } {
  return { first: `10.1.2.${first}`, last: `10.1.2.${last}` };
}

const MAC = '52:54:00:00:00:01';
const reserved = (last: string) => ({ mac: MAC, address: `10.1.2.${last}` });

const neighbour = segment({
  name: 'seg3',
  subnet: '10.1.3.0/24',
  pools: [{ first: '10.1.3.100', last: '10.1.3.199' }],
  relays: ['172.16.0.3'],
});

const alone: readonly (readonly [string, Record<string, unknown>, string | undefined, string?])[] = [
  ['one pool inside the subnet', {}, undefined],
  ['a pool of one address', { pools: [pool('7', '7')] }, undefined],
  ['a pool of all hosts', { pools: [pool('1', '254')] }, undefined],
  ['pools side by side', { pools: [pool('10', '19'), pool('20', '29')] }, undefined],
  ['a subnet written with host bits', { subnet: '10.1.2.9/24' }, undefined],
  ['a router and a relay beside the pool', { router: '10.1.2.1', relays: ['10.1.2.2'] }, undefined],
  ['a pool with the network address', { pools: [pool('0', '9')] }, 'segment_pool_outside', 'pools[0]'],
  ['a pool with the broadcast address', { pools: [pool('250', '255')] }, 'segment_pool_outside', 'pools[0]'],
  [
    'a second pool in another subnet',
    { pools: [pool('10', '19'), { first: '10.9.9.10', last: '10.9.9.19' }] },
    'segment_pool_outside',
    'pools[1]',
  ],
  ['a reversed pool', { pools: [pool('199', '100')] }, 'segment_pool_reversed', 'pools[0]'],
  [
    'pools that share their last and first address',
    { pools: [pool('10', '20'), pool('20', '30')] },
    'segment_pool_overlaps',
    'pools[1]',
  ],
  ['a router in the pool', { router: '10.1.2.150' }, 'segment_pool_holds_router', 'pools[0]'],
  ['a router elsewhere', { router: '10.1.3.1' }, 'segment_router_outside', 'router'],
  ['the network address as router', { router: '10.1.2.0' }, 'segment_router_outside', 'router'],
  ['an exclusion inside', { exclusions: [pool('150', '160')] }, undefined],
  [
    'an exclusion outside',
    { exclusions: [pool('250', '255')] },
    'segment_exclusion_outside',
    'exclusions[0]',
  ],
  ['a reversed exclusion', { exclusions: [pool('9', '8')] }, 'segment_exclusion_reversed', 'exclusions[0]'],
  ['a reserved address inside a pool', { reservations: [reserved('150')] }, undefined],
  ['a reservation without an address', { reservations: [{ mac: MAC, hostname: 'a' }] }, undefined],
  [
    'a reserved address elsewhere',
    { reservations: [{ mac: MAC, address: '10.1.3.9' }] },
    'segment_reservation_outside',
    'reservations[0].address',
  ],
  [
    "the router's address, reserved",
    { router: '10.1.2.1', reservations: [reserved('1')] },
    'segment_reservation_taken',
    'reservations[0].address',
  ],
  [
    'two reservations of one address',
    { reservations: [reserved('150'), { ...reserved('150'), mac: '52:54:00:00:00:02' }] },
    'segment_reservation_twice',
    'reservations[1]',
  ],
  [
    'two reservations of one machine',
    { reservations: [reserved('150'), reserved('151')] },
    'segment_reservation_twice',
    'reservations[1]',
  ],
  ['a relay in the pool', { relays: ['10.1.2.150'] }, 'segment_pool_holds_relay', 'pools[0]'],
];

for (const [what, changes, code, field] of alone)
  test(`${what}: ${code ?? 'fine'}`, () => {
    const found = segmentProblem(segment(changes), []);
    assert.deepEqual([found?.code, found?.field], [code, field]);
  });

const beside: readonly (readonly [string, Record<string, unknown>, string | undefined, string?])[] = [
  ['a segment apart', {}, undefined],
  ['itself, which it replaces', { name: 'seg3', subnet: '10.1.3.0/24', pools: neighbour.pools }, undefined],
  ['a subnet around the neighbour', { subnet: '10.1.0.0/16' }, 'segment_subnet_overlaps', 'subnet'],
  [
    'a subnet inside the neighbour',
    { subnet: '10.1.3.0/26', pools: [{ first: '10.1.3.10', last: '10.1.3.20' }] },
    'segment_subnet_overlaps',
    'subnet',
  ],
  [
    "a pool on the neighbour's",
    { subnet: '10.1.0.0/16', pools: [{ first: '10.1.3.199', last: '10.1.3.220' }] },
    'segment_pool_overlaps',
    'pools[0]',
  ],
  ["the neighbour's relay", { relays: ['172.16.0.9', '172.16.0.3'] }, 'segment_relay_taken', 'relays'],
  ["a relay inside the neighbour's subnet", { relays: ['10.1.3.1'] }, 'segment_relay_taken', 'relays'],
  [
    "a subnet around the neighbour's relay",
    { subnet: '172.16.0.0/24', pools: [{ first: '172.16.0.10', last: '172.16.0.20' }] },
    'segment_relay_taken',
    'subnet',
  ],
];

for (const [what, changes, code, field] of beside)
  test(`beside another segment, ${what}: ${code ?? 'fine'}`, () => {
    const found = segmentProblem(segment(changes), [neighbour]);
    assert.deepEqual([found?.code, found?.field], [code, field]);
  });

test('what is left out has its default', () => {
  const { dnsServers, relays, leaseSeconds, defaultIntent } = segment();
  assert.deepEqual(
    { dnsServers, relays, leaseSeconds, defaultIntent },
    { dnsServers: [], relays: [], leaseSeconds: 3600, defaultIntent: { kind: 'local' } },
  );
});

describe('policy and segments', () => {
  const classed = segment({ pools: [{ ...pool('10', '19'), classes: ['rack1'] }] });
  const rack1 = { name: 'rack1', match: { circuitId: 'rack1-*' } };
  const elsewhere = { name: 'far', match: { segments: ['nowhere'] } };
  const cases: readonly (readonly [string, unknown[], Segment[], string | undefined, string?])[] = [
    ['a class that a pool names is there', [rack1], [classed], undefined],
    ['a class that a pool names is missing', [], [classed], 'segment_class_unknown', 'pools[0].classes'],
    [
      'a class names a segment that is not there',
      [rack1, elsewhere],
      [classed],
      'class_segment_unknown',
      'classes[1].match.segments',
    ],
    [
      'a class puts its VLAN tag on behind the tag too',
      [{ name: 'tagged', match: { ouis: ['52:54:00'] }, vlan: 7 }],
      [segment()],
      'class_vlan_everywhere',
      'classes[0].match.segments',
    ],
    [
      'a class puts its VLAN tag on in one segment',
      [{ name: 'tagged', match: { segments: ['seg2'] }, vlan: 7 }],
      [segment()],
      undefined,
    ],
  ];
  for (const [what, classes, segments, code, field] of cases)
    test(`${what}: ${code ?? 'fine'}`, () => {
      const found = policyProblem(DhcpPolicy.parse({ classes }), segments);
      assert.deepEqual([found?.code, found?.field], [code, field]);
    });
});
