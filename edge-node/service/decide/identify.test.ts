import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type DhcpPacket, machineId, OPTION, subnetSelection } from '@bootswarm/edge-node/dhcp4';
import { identifyClient, identifySegment, segmentOf } from './identify.ts';
import { MAC, packetOf, segmentWith } from './testing/world.ts';

const pool = (subnet: string) => [{ first: `${subnet}.100`, last: `${subnet}.199` }];
const SEGMENTS = [
  segmentWith({ name: 'routers', subnet: '10.0.0.0/24', pools: pool('10.0.0') }),
  segmentWith({ name: 'one', subnet: '10.0.1.0/24', pools: pool('10.0.1'), relays: ['10.0.0.9'] }),
  segmentWith({ name: 'two', subnet: '10.0.2.0/24', pools: pool('10.0.2'), relays: ['192.0.2.9'] }),
  segmentWith({ name: 'three', subnet: '10.0.3.0/24', pools: pool('10.0.3') }),
];
const HEARD_ON = '10.0.3.1';

const linkSelection = (...address: readonly number[]) =>
  [OPTION.relayAgent, Uint8Array.of(5, 4, ...address)] as const;

describe('the segment of a packet', () => {
  const cases: readonly (readonly [name: string, packet: DhcpPacket, segment: string | undefined])[] = [
    [
      'link-selection before subnet-selection and giaddr',
      packetOf('DISCOVER', {
        fields: { giaddr: '10.0.3.1' },
        options: [subnetSelection.write('10.0.2.0'), linkSelection(10, 0, 1, 0)],
      }),
      'one',
    ],
    [
      'subnet-selection before giaddr',
      packetOf('DISCOVER', {
        fields: { giaddr: '10.0.3.1' },
        options: [subnetSelection.write('10.0.2.0')],
      }),
      'two',
    ],
    ['giaddr in the subnet', packetOf('DISCOVER', { fields: { giaddr: '10.0.2.1' } }), 'two'],
    ['giaddr of a named relay', packetOf('DISCOVER', { fields: { giaddr: '192.0.2.9' } }), 'two'],
    [
      "giaddr of a named relay that lies in another segment's subnet",
      packetOf('DISCOVER', { fields: { giaddr: '10.0.0.9' } }),
      'one',
    ],
    [
      'giaddr before ciaddr',
      packetOf('REQUEST', { fields: { giaddr: '10.0.2.1', ciaddr: '10.0.1.100' } }),
      'two',
    ],
    ['ciaddr of a renewal past the relay', packetOf('REQUEST', { fields: { ciaddr: '10.0.1.100' } }), 'one'],
    ['the interface that heard it', packetOf('DISCOVER'), 'three'],
    ['an unknown giaddr', packetOf('DISCOVER', { fields: { giaddr: '172.16.0.1' } }), undefined],
  ];
  for (const [name, packet, segment] of cases)
    test(name, () => assert.equal(identifySegment(packet, SEGMENTS, HEARD_ON)?.name, segment));

  test('an address beside every segment belongs to none', () => {
    assert.equal(segmentOf('10.0.4.1', SEGMENTS), undefined);
    assert.equal(segmentOf('10.0.1.255', SEGMENTS)?.name, 'one');
  });
});

describe('who a packet is from', () => {
  test('a packet that tells nothing is from its MAC', () => {
    assert.deepEqual(identifyClient(packetOf('DISCOVER')), {
      mac: MAC,
      uuid: undefined,
      architectures: [],
      userClasses: [],
      vendorClass: '',
      ipxe: undefined,
    });
  });

  test("a UUID that a vendor left unset is nobody's", () => {
    const uuid = '03000200-0400-0500-0006-000700080009';
    const told = (text: string) => identifyClient(packetOf('DISCOVER', { options: [machineId.write(text)] }));
    assert.equal(told(uuid).uuid, undefined);
    assert.equal(told(uuid.replace('03', '04')).uuid, '04000200-0400-0500-0006-000700080009');
  });
});
