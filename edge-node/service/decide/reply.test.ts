import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { DhcpPolicy, type Segment } from '@bootswarm/controller/contract';
import {
  bootFile,
  clientArchitectures,
  type DhcpPacket,
  decode,
  leaseSeconds,
  maxMessageBytes,
  message,
  nameServers,
  OPTION,
  parameterList,
  pxeVendor,
  rebindingSeconds,
  renewalSeconds,
  routers,
  serverId,
  subnetMask,
  vendorClass,
} from '@bootswarm/edge-node/dhcp4';
import { decideDhcp } from './dhcp.ts';
import { encodeReply } from './reply.ts';
import { FakeLeases, leaseWith, packetOf, SERVER, segmentWith, situationOf } from './testing/world.ts';

const OUTSIDE = '192.0.2.7';

describe('what a reply says', () => {
  const replyTo = (packet: DhcpPacket): DhcpPacket => {
    const decision = decideDhcp(situationOf(packet, { leases: new FakeLeases(leaseWith()) }));
    assert.ok(decision.kind === 'reply', decision.reason);
    return decision.packet;
  };
  const echoed = [
    [OPTION.clientId, Uint8Array.of(255, 1, 2, 3)],
    [OPTION.machineId, Uint8Array.of(0, ...new Uint8Array(16))],
    [OPTION.relayAgent, Uint8Array.of(1, 2, 0, 255)],
  ] as const;

  for (const [name, packet] of [
    ['OFFER', packetOf('DISCOVER', { options: echoed })],
    ['ACK', packetOf('REQUEST', { requested: '10.99.0.101', options: echoed })],
    ['NAK', packetOf('REQUEST', { requested: OUTSIDE, options: echoed })],
    ['ACK of an INFORM', packetOf('INFORM', { fields: { ciaddr: '10.99.0.20' }, options: echoed })],
  ] as const)
    test(`${name}: options 61, 82 and 97 come back as they came, with our server id and its xid`, () => {
      const reply = replyTo(packet);
      for (const [code, value] of echoed) assert.deepEqual(reply.options.get(code), value);
      assert.equal(serverId.read(reply.options), SERVER);
      assert.equal(reply.xid, packet.xid);
      assert.deepEqual(reply.chaddr, packet.chaddr);
      assert.equal(reply.op, 'reply');
    });

  test('a client that sent none of 61, 82, 97 gets none', () => {
    const { options } = replyTo(packetOf('DISCOVER'));
    assert.deepEqual(
      echoed.map(([code]) => options.get(code)),
      [undefined, undefined, undefined],
    );
  });

  test('an ACK carries the lease, its T1 and T2 and the network', () => {
    const { options } = replyTo(packetOf('REQUEST', { requested: '10.99.0.101' }));
    assert.equal(leaseSeconds.read(options), 3600);
    assert.equal(renewalSeconds.read(options), 1800);
    assert.equal(rebindingSeconds.read(options), 3150);
    assert.equal(subnetMask.read(options), '255.255.255.0');
    assert.deepEqual(routers.read(options), ['10.99.0.254']);
    assert.deepEqual(nameServers.read(options), ['10.99.0.53']);
  });

  test('the answer to an INFORM carries no lease', () => {
    const { options } = replyTo(packetOf('INFORM', { fields: { ciaddr: '10.99.0.20' } }));
    for (const { read } of [leaseSeconds, renewalSeconds, rebindingSeconds])
      assert.equal(read(options), undefined);
    assert.equal(subnetMask.read(options), '255.255.255.0');
  });

  test('a NAK says why, and carries nothing else', () => {
    const { options, ciaddr, yiaddr } = replyTo(packetOf('REQUEST', { requested: OUTSIDE }));
    assert.equal(message.read(options), '192.0.2.7 is not in segment seg');
    assert.deepEqual([...options.keys()], [OPTION.messageType, OPTION.serverId, OPTION.message]);
    assert.deepEqual([ciaddr, yiaddr], ['0.0.0.0', '0.0.0.0']);
  });

  test('an ACK repeats ciaddr and an OFFER does not (RFC 2131, table 3)', () => {
    assert.equal(replyTo(packetOf('REQUEST', { fields: { ciaddr: '10.99.0.101' } })).ciaddr, '10.99.0.101');
    assert.equal(replyTo(packetOf('DISCOVER', { fields: { ciaddr: '10.99.0.101' } })).ciaddr, '0.0.0.0');
  });

  test('firmware finds its file in `file`, siaddr and option 67, and 60 only beside 43.6=8', () => {
    const reply = replyTo(
      packetOf('DISCOVER', { options: [vendorClass.write('PXEClient:Arch:00000:UNDI:002001')] }),
    );
    assert.equal(reply.file, 'undionly.kpxe');
    assert.equal(reply.siaddr, SERVER);
    assert.equal(bootFile.read(reply.options), 'undionly.kpxe');
    assert.equal(vendorClass.read(reply.options), 'PXEClient');
    assert.deepEqual(reply.options.get(OPTION.vendorOptions), Uint8Array.of(6, 1, 8, 255));
  });

  test('a client that does not boot from the network is told nothing of booting', () => {
    const reply = replyTo(packetOf('DISCOVER'));
    assert.deepEqual([reply.file, reply.siaddr], ['', '0.0.0.0']);
    for (const code of [OPTION.vendorClass, OPTION.vendorOptions, OPTION.bootFile, OPTION.ipxe])
      assert.equal(reply.options.has(code), false, `option ${code}`);
  });
});

describe('a Raspberry Pi (quirk 19)', () => {
  const asked = packetOf('DISCOVER', {
    mac: 'b8:27:eb:00:00:01',
    options: [vendorClass.write('PXEClient:Arch:00000:UNDI:002001'), clientArchitectures.write([0])],
  });
  const told = (...files: readonly string[]) => {
    const decision = decideDhcp(situationOf(asked, { hasFile: (name) => files.includes(name) }));
    assert.ok(decision.kind === 'reply', decision.reason);
    return decision;
  };

  for (const file of ['bootcode.bin', 'start4.elf'])
    test(`hears the name of its boot service where ${file} is there, and fetches by itself`, () => {
      const { file: named, siaddr, options } = told(file).packet;
      assert.deepEqual([named, siaddr], ['', SERVER]);
      assert.equal(vendorClass.read(options), 'PXEClient');
      assert.deepEqual(pxeVendor.read(options)?.menu, [{ type: 0, label: 'Raspberry Pi Boot' }]);
    });

  test('is told why not, where its files are not there', () => {
    const { cause, packet } = told('undionly.kpxe');
    assert.equal(cause, 'architecture_unknown');
    assert.equal(packet.options.has(OPTION.vendorOptions), false);
  });
});

describe('a reply that would be too long for its client', () => {
  const ntp = Array.from({ length: 32 }, (_, at) => `10.0.0.${at}`).join(',');
  const lots: Partial<Segment> = {
    options: { 'ntp-servers': ntp, 'log-servers': ntp, 'time-servers': ntp, 'domain-search': 'a.example' },
  };
  const OF_NTP = 42;
  const OF_LOG = 7;
  const ESSENTIAL = [OPTION.messageType, OPTION.serverId, OPTION.leaseSeconds, OPTION.subnetMask];

  /** The options that reach the client, of the segment above. */
  function sentTo(options: readonly (readonly [number, Uint8Array])[], segment = lots) {
    const request = packetOf('DISCOVER', { options });
    const decision = decideDhcp(situationOf(request, { segment: segmentWith(segment) }));
    assert.ok(decision.kind === 'reply', decision.reason);
    const bytes = encodeReply(decision.packet, request);
    const decoded = bytes && decode(bytes);
    assert.ok(decoded?.ok);
    return decoded.packet.options;
  }

  test('has all of it where the client takes so much', () => {
    const options = sentTo([maxMessageBytes.write(1500)]);
    for (const code of [OF_NTP, OF_LOG, OPTION.domainSearch, ...ESSENTIAL])
      assert.equal(options.has(code), true, `option ${code}`);
  });

  test('has what it must have and what was asked for', () => {
    const options = sentTo([parameterList.write([1, 3, OF_NTP])]);
    for (const code of [OF_NTP, ...ESSENTIAL]) assert.equal(options.has(code), true, `option ${code}`);
    for (const code of [OF_LOG, OPTION.domainSearch])
      assert.equal(options.has(code), false, `option ${code}`);
  });

  test('has only what it must have, where even that is too long', () => {
    const options = sentTo([parameterList.write([4, OF_LOG, OF_NTP, OPTION.domainSearch])]);
    for (const code of ESSENTIAL) assert.equal(options.has(code), true, `option ${code}`);
    for (const code of [4, OF_LOG, OF_NTP]) assert.equal(options.has(code), false, `option ${code}`);
  });
});

describe('the boot file of a platform', () => {
  const PXE = vendorClass.write('PXEClient:Arch:00000:UNDI:002001');
  const MAC = '52:54:00:aa:00:01';
  const name = (level: string) => ({ firmware: { bios: `${level}.kpxe` } });
  const fileOf = (levels: { segment?: object; class?: object; machine?: object }, missing = '') => {
    const segment = segmentWith({
      ...levels.segment,
      reservations: [{ mac: MAC, hostname: 'x', ...levels.machine }],
    } as object);
    const policy = DhcpPolicy.parse({ classes: [{ name: 'c', match: { macs: [MAC] }, ...levels.class }] });
    const hasFile = (file: string) => file !== missing;
    const request = packetOf('DISCOVER', { options: [PXE] });
    const decision = decideDhcp(situationOf(request, { segment, policy, hasFile }));
    assert.ok(decision.kind === 'reply', decision.reason);
    return decision;
  };
  const [segment, ofClass, machine] = [name('segment'), name('class'), name('machine')];
  for (const [who, levels, file] of [
    ['is the usual one', {}, 'undionly.kpxe'],
    ['is what the segment says', { segment }, 'segment.kpxe'],
    ['is what a class says, before the segment', { segment, class: ofClass }, 'class.kpxe'],
    ['is what its reservation says, before all', { segment, class: ofClass, machine }, 'machine.kpxe'],
  ] as const)
    test(who, () => assert.equal(fileOf(levels).packet.file, file));

  test('is none where the edge does not have it, and the journal hears why', () => {
    const { cause, reason, packet } = fileOf({ class: ofClass }, 'class.kpxe');
    assert.equal(cause, 'firmware_missing');
    assert.match(reason, /class\.kpxe for BIOS is not on this edge/);
    assert.deepEqual([packet.file, packet.siaddr], ['', '0.0.0.0']);
  });
});
