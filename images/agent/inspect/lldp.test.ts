import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeLldp } from './lldp.ts';

const tlv = (type: number, ...value: number[]): number[] => [
  (type << 1) | (value.length >> 8),
  value.length & 255,
  ...value,
];
const text = (characters: string): number[] => [...Buffer.from(characters)];
const frame = (...tlvs: number[][]): Uint8Array =>
  Uint8Array.from([...[1, 0x80, 0xc2, 0, 0, 0x0e], ...[2, 0, 0, 0, 0, 1], 0x88, 0xcc, ...tlvs.flat(), 0, 0]);

const CHASSIS = tlv(1, 4, 2, 0, 0, 0, 0, 0xaa);
const PORT = tlv(2, 5, ...text('Ethernet1/7'));
const TTL = tlv(3, 0, 120);

test('a switch tells its chassis, port, VLAN and more', () => {
  const neighbour = decodeLldp(
    frame(
      ...[CHASSIS, PORT, TTL],
      ...[tlv(4, ...text('rack 4 server 7')), tlv(5, ...text('leaf-4a')), tlv(6, ...text('NOS 9.1'))],
      tlv(8, 5, 1, 10, 0, 0, 9, 2, 0, 0, 0, 1, 0),
      tlv(127, 0x00, 0x80, 0xc2, 1, 0, 42),
      tlv(127, 0x00, 0x80, 0xc2, 3, 0, 42, 4, ...text('prod')),
      tlv(127, 0x00, 0x12, 0x0f, 4, 0x24, 0x00),
    ),
  );
  assert.deepEqual(neighbour, {
    chassis: '02:00:00:00:00:aa',
    port: 'Ethernet1/7',
    ttlSeconds: 120,
    portDescription: 'rack 4 server 7',
    systemName: 'leaf-4a',
    systemDescription: 'NOS 9.1',
    managementAddress: '10.0.0.9',
    vlan: 42,
    vlanNames: [{ id: 42, name: 'prod' }],
    maxFrameBytes: 9216,
  });
});

test('chassis and port are addresses or names, as the switch chose', () => {
  const cases: readonly (readonly [number[], number[], string, string])[] = [
    [tlv(1, 7, ...text('chassis 1')), tlv(2, 3, 2, 0, 0, 0, 0, 1), 'chassis 1', '02:00:00:00:00:01'],
    [tlv(1, 5, 1, 192, 0, 2, 1), tlv(2, 7, ...text('12')), '192.0.2.1', '12'],
    [tlv(1, 5, 9, 1, 2), PORT, '09:01:02', 'Ethernet1/7'],
    [tlv(1, 4, 1, 2), PORT, '01:02', 'Ethernet1/7'],
  ];
  for (const [chassis, port, expectedChassis, expectedPort] of cases) {
    const neighbour = decodeLldp(frame(chassis, port, TTL));
    assert.deepEqual([neighbour?.chassis, neighbour?.port], [expectedChassis, expectedPort]);
  }
});

test('what is no LLDP, or says too little, is nobody', () => {
  const arp = frame(CHASSIS, PORT, TTL);
  arp[12] = 8;
  for (const bytes of [new Uint8Array(), arp, frame(), frame(CHASSIS, PORT), frame(tlv(1), PORT, TTL)])
    assert.equal(decodeLldp(bytes), undefined);
});

test('names keep to what can be printed', () => {
  const neighbour = decodeLldp(frame(CHASSIS, PORT, TTL, tlv(5, ...text('leaf\u001b[31m\n4a'))));
  assert.equal(neighbour?.systemName, 'leaf [31m 4a');
});

test('any bytes are read to an end', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
      const whole = new Uint8Array([...frame().subarray(0, 14), ...bytes]);
      const neighbour = decodeLldp(whole);
      if (neighbour) assert.ok(neighbour.chassis.length < 2000 && neighbour.ttlSeconds <= 0xffff);
    }),
  );
});
