import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { decode, OPTION, routers, subnetMask } from '@bootswarm/edge-node/dhcp4';
import { requestWith } from '@bootswarm/edge-node/dhcp4/testing';
import { decideBootp } from './bootp.ts';
import { encodeReply } from './reply.ts';
import type { Decision } from './situation.ts';
import {
  FakeLeases,
  leaseWith,
  MAC,
  NOW_MS,
  OTHER_MAC,
  SERVER,
  segmentWith,
  situationOf,
} from './testing/world.ts';

const FILE = 'undionly.kpxe';
const mine = { mac: MAC, address: '10.99.0.11' };
const asked = (fields: object = {}) => requestWith(fields);

function answered(segment: object, fields: object = {}, leases = new FakeLeases()): Decision {
  return decideBootp(situationOf(asked(fields), { segment: segmentWith(segment), leases }));
}

const textOf = (decision: Decision): string =>
  decision.kind === 'reply' ? decision.packet.yiaddr : (decision.cause ?? decision.reason);

describe('who speaks BOOTP without DHCP', () => {
  const cases: readonly (readonly [name: string, segment: object, answer: RegExp])[] = [
    ['is not served unless the segment says so', {}, /^bootp_refused$/],
    ['is not served there, reservation or not', { reservations: [mine] }, /^bootp_refused$/],
    ['gets the address reserved for it', { bootp: 'reserved', reservations: [mine] }, /^10\.99\.0\.11$/],
    ['gets nothing where none is reserved', { bootp: 'reserved' }, /^bootp_refused$/],
    [
      'gets nothing where its reservation has no address',
      { bootp: 'reserved', reservations: [{ mac: MAC, hostname: 'x' }] },
      /^bootp_refused$/,
    ],
    ['gets one of the pool', { bootp: 'pool' }, /^10\.99\.0\.10\d$/],
    ['gets the reserved one first there, too', { bootp: 'pool', reservations: [mine] }, /^10\.99\.0\.11$/],
    ['gets nothing of a segment without pools', { bootp: 'pool', pools: [] }, /^pool_none$/],
  ];
  for (const [name, segment, answer] of cases)
    test(name, () => assert.match(textOf(answered(segment)), answer));

  test('keeps its address for good: its lease ends with the last day that there is', () => {
    const { lease } = answered({ bootp: 'pool' });
    assert.equal(lease?.state, 'bound');
    assert.equal(new Date(lease?.expiresAtMs ?? 0).getUTCFullYear(), 275_760);
    assert.ok((lease?.expiresAtMs ?? 0) > NOW_MS);
  });

  test('is held to the leases that its relay may have', () => {
    const segment = { bootp: 'pool', limits: { leasesPerRelay: 1 } };
    const leases = new FakeLeases(leaseWith({ address: '10.99.0.105', mac: OTHER_MAC, relay: 'direct' }));
    assert.equal(textOf(answered(segment, {}, leases)), 'limit_reached');
    const own = new FakeLeases(leaseWith({ relay: 'direct' }));
    assert.equal(textOf(answered(segment, {}, own)), '10.99.0.101');
  });
});

describe('a BOOTREPLY', () => {
  /** As bytes, and read again. */
  function replyTo(segment: object, fields: object = {}) {
    const decision = answered({ bootp: 'pool', ...segment }, fields);
    assert.ok(decision.kind === 'reply', decision.reason);
    const bytes = encodeReply(decision.packet, asked(fields)) ?? assert.fail('it does not fit');
    const decoded = decode(bytes);
    assert.ok(decoded.ok);
    return { bytes, packet: decoded.packet };
  }

  test('names the file that was asked for and the server that has it', () => {
    const { packet } = replyTo({}, { file: FILE });
    assert.deepEqual([packet.file, packet.siaddr], [FILE, SERVER]);
  });

  test('names the file of policy for a BIOS, where none was asked for', () => {
    assert.equal(replyTo({ firmware: { bios: FILE } }).packet.file, FILE);
  });

  test('names no file that is not there', () => {
    const { packet } = replyTo({}, { file: 'vmunix' });
    assert.deepEqual([packet.file, packet.siaddr], ['', '0.0.0.0']);
  });

  test('tells the network, and nothing of DHCP or PXE', () => {
    const { packet } = replyTo({}, { file: FILE });
    assert.equal(subnetMask.read(packet.options), '255.255.255.0');
    assert.deepEqual(routers.read(packet.options), ['10.99.0.254']);
    for (const code of [
      OPTION.messageType,
      OPTION.serverId,
      OPTION.leaseSeconds,
      OPTION.renewalSeconds,
      OPTION.vendorClass,
      OPTION.vendorOptions,
      OPTION.bootFile,
    ])
      assert.equal(packet.options.has(code), false, `option ${code}`);
  });

  test('is 300 bytes, however much there is to tell: what is worth less goes', () => {
    const options = { 'domain-search': 'a.very.long.example, another.very.long.example', 'host-name': 'n' };
    const { bytes, packet } = replyTo({ options, dnsServers: ['10.99.0.53', '10.99.0.54'] });
    assert.equal(bytes.length, 300);
    assert.equal(packet.options.has(OPTION.domainSearch), false);
    assert.equal(packet.options.has(OPTION.nameServers), true);
  });

  test('leaves `file` and `sname` alone when it is full, as its reader knows no option 52', () => {
    const dnsServers = [51, 52, 53, 54, 55, 56, 57, 58].map((last) => `10.99.0.${last}`);
    const routes = '10.1.0.0/16 via 10.99.0.1, 10.2.0.0/16 via 10.99.0.2, 10.3.0.0/16 via 10.99.0.3';
    const { bytes, packet } = replyTo({ dnsServers, options: { 'classless-static-routes': routes } });
    assert.equal(bytes.length, 300);
    assert.ok(bytes.subarray(44, 236).every((byte) => byte === 0));
    assert.deepEqual([...packet.options.keys()], [OPTION.subnetMask, OPTION.routers]);
  });

  test('repeats the address that the client knows already, and goes there', () => {
    const decision = answered({ bootp: 'pool' }, { ciaddr: '10.99.0.101' });
    assert.ok(decision.kind === 'reply');
    assert.equal(decision.packet.ciaddr, '10.99.0.101');
    assert.deepEqual(decision.to, { address: '10.99.0.101', port: 68 });
  });
});
