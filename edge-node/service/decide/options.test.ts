import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { DhcpPolicy } from '@bootswarm/controller/contract';
import { hostName, OPTION, parameterList } from '@bootswarm/edge-node/dhcp4';
import { decideDhcp } from './dhcp.ts';
import { encodeSettings } from './options.ts';
import { MAC, packetOf, type Sent, segmentWith, situationOf } from './testing/world.ts';

const NTP = 42;

/** What an OFFER says where each level says what a case is about. */
function offered(
  levels: { global?: object; segment?: object; class?: object; machine?: object },
  sent: Sent = {},
) {
  const policy = DhcpPolicy.parse({
    options: levels.global ?? {},
    classes: [{ name: 'class', match: { macs: [MAC] }, options: levels.class ?? {} }],
  });
  const segment = segmentWith({
    options: levels.segment ?? {},
    reservations: [{ mac: MAC, hostname: 'node1', options: levels.machine ?? {} }],
  } as object);
  const decision = decideDhcp(situationOf(packetOf('DISCOVER', sent), { segment, policy }));
  assert.ok(decision.kind === 'reply', decision.reason);
  return decision.packet.options;
}

const hexOf = (value: Uint8Array | undefined) => value && Buffer.from(value).toString('hex');

describe('of an option that several levels set, the narrowest wins', () => {
  const all = {
    global: { 'ntp-servers': '10.0.0.1' },
    segment: { 'ntp-servers': '10.0.0.2' },
    class: { 'ntp-servers': '10.0.0.3' },
    machine: { 'ntp-servers': '10.0.0.4' },
  };
  const { global, segment, class: classes, machine } = all;
  const cases = [
    ['global, if it is alone', { global }, '0a000001'],
    ['segment over global', { global, segment }, '0a000002'],
    ['class over segment', { global, segment, class: classes }, '0a000003'],
    ['machine over all', { global, segment, class: classes, machine }, '0a000004'],
    ['an empty value takes it away', { ...all, machine: { 'ntp-servers': '' } }, undefined],
    ['and a narrower one sets it again', { global, segment: { 'ntp-servers': '' }, machine }, '0a000004'],
    ['an option by its number is the same option', { global, machine: { '42': '10.0.0.9' } }, '0a000009'],
  ] as const;
  for (const [name, levels, value] of cases)
    test(name, () => assert.equal(hexOf(offered(levels).get(NTP)), value));

  test('what the segment says by fields of its own is one of its options', () => {
    assert.equal(hexOf(offered({}).get(OPTION.routers)), '0a6300fe');
    assert.equal(hexOf(offered({ global: { routers: '10.99.0.7' } }).get(OPTION.routers)), '0a6300fe');
    assert.equal(hexOf(offered({ segment: { routers: '10.99.0.7' } }).get(OPTION.routers)), '0a630007');
    assert.equal(offered({ segment: { routers: '' } }).has(OPTION.routers), false);
  });

  test('the host name of a reservation is told, unless its options say another', () => {
    assert.equal(hostName.read(offered({})), 'node1');
    assert.equal(hostName.read(offered({ machine: { 'host-name': 'other' } })), 'other');
  });
});

test('each type of option is laid on the wire as its RFC says', () => {
  const cases: readonly (readonly [name: string, value: string, hex: string])[] = [
    ['subnet-mask', '255.255.255.0', 'ffffff00'],
    ['ntp-servers', '10.0.0.1, 10.0.0.2', '0a0000010a000002'],
    ['root-path', 'nfs:/é', '6e66733a2fc3a9'],
    ['default-ip-ttl', '64', '40'],
    ['interface-mtu', '9000', '2328'],
    ['arp-cache-timeout', '4294967295', 'ffffffff'],
    ['time-offset', '-3600', 'fffff1f0'],
    ['ip-forwarding', 'true', '01'],
    ['ip-forwarding', 'false', '00'],
    ['224', '0a:01:ff', '0a01ff'],
    ['domain-search', 'a.example, b.a.example', '0161076578616d706c65000162c000'],
    // RFC 3442: no more octets of the destination than its prefix needs.
    [
      'classless-static-routes',
      '10.8.0.0/13 via 10.99.0.1, 0.0.0.0/0 via 10.99.0.2',
      '0d0a080a630001000a630002',
    ],
    ['tftp-server-address', '10.0.0.1,10.0.0.2', '0a0000010a000002'],
  ];
  for (const [name, value, hex] of cases)
    assert.equal(hexOf([...encodeSettings({ [name]: value }).values()][0]), hex, name);
});

test('the routes of RFC 3442 come under the number of old Windows too, where that is asked for', () => {
  const levels = { global: { 'classless-static-routes': '10.8.0.0/16 via 10.99.0.1' } };
  assert.equal(offered(levels).has(OPTION.microsoftRoutes), false);
  const asked = offered(levels, { options: [parameterList.write([1, 249])] });
  assert.deepEqual(asked.get(OPTION.microsoftRoutes), asked.get(OPTION.classlessRoutes));
  assert.equal(offered({}, { options: [parameterList.write([1, 249])] }).has(OPTION.microsoftRoutes), false);
});
