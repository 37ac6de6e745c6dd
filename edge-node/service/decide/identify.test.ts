import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type DhcpPacket, machineId, OPTION, subnetSelection, vendorClass } from '@bootswarm/edge-node/dhcp4';
import { identifyClient, withWhatItSaid } from './client.ts';
import { identifySegment } from './identify.ts';
import { compileSite } from './site.ts';
import { MAC, NO_POLICY, packetOf, segmentWith } from './testing/world.ts';

const pool = (subnet: string) => [{ first: `${subnet}.100`, last: `${subnet}.199` }];
const SEGMENTS = [
  segmentWith({ name: 'routers', subnet: '10.0.0.0/24', pools: pool('10.0.0') }),
  segmentWith({ name: 'one', subnet: '10.0.1.0/24', pools: pool('10.0.1'), relays: ['10.0.0.9'] }),
  segmentWith({ name: 'two', subnet: '10.0.2.0/24', pools: pool('10.0.2'), relays: ['192.0.2.9'] }),
  segmentWith({ name: 'three', subnet: '10.0.3.0/24', pools: pool('10.0.3') }),
];
const SITE = compileSite({ segments: SEGMENTS, policy: NO_POLICY });
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
    [
      'link-selection counts for nothing where no relay says it: a client may have written it',
      packetOf('DISCOVER', { options: [linkSelection(10, 0, 1, 0)] }),
      'three',
    ],
    [
      'subnet-selection of a client itself (RFC 3011)',
      packetOf('DISCOVER', { options: [subnetSelection.write('10.0.2.0')] }),
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
    test(name, () => assert.equal(identifySegment(packet, SITE, HEARD_ON)?.segment.name, segment));

  test('an address beside every segment belongs to none', () => {
    assert.equal(SITE.segmentOf('10.0.4.1'), undefined);
    assert.equal(SITE.segmentOf('10.0.1.255')?.segment.name, 'one');
  });
});

describe('who a packet is from', () => {
  test('a packet that tells nothing is from its MAC', () => {
    assert.deepEqual(identifyClient(packetOf('DISCOVER')), {
      mac: MAC,
      uuid: undefined,
      clientId: undefined,
      architectures: [],
      userClasses: [],
      vendorClass: '',
      isNetworkBoot: false,
      ipxe: undefined,
      relay: undefined,
      circuitId: undefined,
      remoteId: undefined,
    });
  });

  test("a UUID that a vendor left unset is nobody's", () => {
    const uuid = '03000200-0400-0500-0006-000700080009';
    const told = (text: string) => identifyClient(packetOf('DISCOVER', { options: [machineId.write(text)] }));
    assert.equal(told(uuid).uuid, undefined);
    assert.equal(told(uuid.replace('03', '04')).uuid, '04000200-0400-0500-0006-000700080009');
  });
});

describe('what is known from before', () => {
  const PI = 'PXEClient:Arch:00000:UNDI:002001';
  const said = { mac: MAC, xid: 1, vendorClass: PI, architectures: [0] };
  const silentClient = identifyClient(packetOf('REQUEST'));

  test('a REQUEST without a vendor class is of the firmware whose DISCOVER had one (quirk 20)', () => {
    const client = withWhatItSaid(silentClient, said, undefined);
    assert.equal(client.isNetworkBoot, true);
    assert.deepEqual([client.vendorClass, client.architectures], [PI, [0]]);
  });

  test('a REQUEST with a vendor class of its own is of who says so', () => {
    const system = identifyClient(packetOf('REQUEST', { options: [vendorClass.write('udhcp 1.35')] }));
    assert.equal(withWhatItSaid(system, said, undefined).isNetworkBoot, false);
  });

  test('a system that does not tell its UUID has the one that its firmware told', () => {
    const uuid = '11111111-2222-3333-4444-555555555555';
    assert.equal(withWhatItSaid(silentClient, undefined, { uuid }).uuid, uuid);
    const other = identifyClient(
      packetOf('DISCOVER', { options: [machineId.write(uuid.replace('1', '2'))] }),
    );
    assert.equal(withWhatItSaid(other, undefined, { uuid }).uuid, uuid.replace('1', '2'));
  });
});
