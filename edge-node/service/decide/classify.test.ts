import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type DhcpClass, DhcpPolicy } from '@bootswarm/controller/contract';
import {
  clientArchitectures,
  machineId,
  OPTION,
  subnetMask,
  userClasses,
  vendorClass,
} from '@bootswarm/edge-node/dhcp4';
import { packetOf, type Sent, segmentWith, situationOf } from './testing/world.ts';

const UUID = '11111111-2222-3333-4444-555555555555';
const text = (value: string): Uint8Array => Buffer.from(value, 'latin1');
/** Option 82 of a switch: circuit-id and remote-id. */
const agent = (circuit: string, remote = ''): readonly [number, Uint8Array] => [
  OPTION.relayAgent,
  Uint8Array.of(1, circuit.length, ...text(circuit), 2, remote.length, ...text(remote)),
];
const PXE_X64 = [vendorClass.write('PXEClient:Arch:00009:UNDI:003000'), clientArchitectures.write([9])];

/** Whether a client is of the class that `match` describes. */
function isOf(match: Partial<DhcpClass['match']>, sent: Sent = {}): boolean {
  const policy = DhcpPolicy.parse({ classes: [{ name: 'class', match }] });
  return situationOf(packetOf('DISCOVER', sent), { policy }).terms.classes.length === 1;
}

describe('a client is of a class', () => {
  const cases: readonly (readonly [name: string, match: object, yes: Sent, no: Sent])[] = [
    [
      'by platform, whatever number its x64 firmware reports',
      { platforms: ['uefi-x64'] },
      { options: PXE_X64 },
      { options: [PXE_X64[0] ?? [0, text('')], clientArchitectures.write([0])] },
    ],
    [
      'by platform only as long as firmware speaks',
      { platforms: ['bios'] },
      { options: [vendorClass.write('PXEClient')] },
      { options: [vendorClass.write('udhcp 1.35')] },
    ],
    [
      'as a Raspberry Pi by its OUI, although it reports a BIOS',
      { platforms: ['raspberry-pi'] },
      { mac: 'b8:27:eb:00:00:01', options: [vendorClass.write('PXEClient'), clientArchitectures.write([0])] },
      { options: [vendorClass.write('PXEClient'), clientArchitectures.write([0])] },
    ],
    [
      'by any one of the architectures that it reports',
      { architectures: [7, 11] },
      { options: [clientArchitectures.write([99, 11])] },
      { options: [clientArchitectures.write([9])] },
    ],
    [
      'by how its vendor class begins',
      { vendorClass: 'PXEClient:Arch:00009' },
      { options: PXE_X64 },
      { options: [vendorClass.write('PXEClient:Arch:00007')] },
    ],
    [
      'by any one of its user classes',
      { userClass: 'iPXE' },
      { options: [userClasses.write(['other', 'iPXE'])] },
      { options: [userClasses.write(['iPXE2'])] },
    ],
    [
      'by OUI, however it is spelt',
      { ouis: ['52-54-00', 'B8:27:EB'] },
      { mac: 'b8:27:eb:00:00:01' },
      { mac: 'b8:27:ec:00:00:01' },
    ],
    ['by MAC', { macs: ['52:54:00:00:00:09'] }, { mac: '52:54:00:00:00:09' }, {}],
    [
      'by UUID',
      { uuids: [UUID] },
      { options: [machineId.write(UUID)] },
      { options: [machineId.write(UUID.replace('1', '2'))] },
    ],
    [
      'by the relay that it is behind',
      { relays: ['10.99.0.254'] },
      { fields: { giaddr: '10.99.0.254' } },
      { fields: { giaddr: '10.99.0.253' } },
    ],
    [
      'by circuit-id',
      { circuitId: 'Gi1/0/*' },
      { options: [agent('Gi1/0/7')] },
      { options: [agent('Gi2/0/7')] },
    ],
    [
      'by remote-id in hexadecimal',
      { remoteId: 'hex:0006*' },
      { options: [agent('x', '\u0000\u0006abc')] },
      { options: [agent('\u0000\u0006abc', 'x')] },
    ],
    [
      'only if all holds that the class asks for',
      { ouis: ['52:54:00'], circuitId: 'Gi1/*' },
      { options: [agent('Gi1/1')] },
      { mac: 'b8:27:eb:00:00:01', options: [agent('Gi1/1')] },
    ],
  ];
  for (const [name, match, yes, no] of cases)
    test(name, () => {
      assert.equal(isOf(match, yes), true);
      assert.equal(isOf(match, no), false);
    });

  test('by the segment that it is in', () => {
    assert.equal(isOf({ segments: ['seg'] }), true);
    assert.equal(isOf({ segments: ['other'] }), false);
  });
});

describe('of two classes that a client is of', () => {
  const both = (first: object, second: object) => {
    const match = { ouis: ['52:54:00'] };
    const policy = DhcpPolicy.parse({
      classes: [
        { name: 'first', match, ...first },
        { name: 'second', match, ...second },
      ],
    });
    return situationOf(packetOf('DISCOVER'), { policy, segment: segmentWith() }).terms;
  };

  test('the later says which boot file', () => {
    const { firmware } = both(
      { firmware: { bios: 'first.kpxe', 'uefi-x64': 'first.efi' } },
      { firmware: { bios: 'second.kpxe' } },
    );
    assert.deepEqual(firmware, { bios: 'second.kpxe', 'uefi-x64': 'first.efi' });
  });

  test('the later says which options', () => {
    const { levels } = both(
      { options: { 'subnet-mask': '255.0.0.0' } },
      { options: { 'subnet-mask': '255.255.0.0' } },
    );
    assert.deepEqual(levels.at(-1)?.get(OPTION.subnetMask), subnetMask.write('255.255.0.0')[1]);
  });

  test('one that is refused is enough', () => {
    assert.equal(both({ refuse: 'printers' }, {}).refusedBy?.name, 'first');
  });
});
