import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  bootFile,
  type DhcpPacket,
  leaseSeconds,
  type MessageType,
  message,
  messageType,
  nameServers,
  OPTION,
  rebindingSeconds,
  renewalSeconds,
  routers,
  serverId,
  subnetMask,
  vendorClass,
} from '@bootswarm/edge-node/dhcp4';
import { requestWith } from '@bootswarm/edge-node/dhcp4/testing';
import { type Decision, type Destination, decideDhcp } from './dhcp.ts';
import type { Lease } from './lease.ts';
import {
  FakeLeases,
  leaseWith,
  MAC,
  NOW_MS,
  OTHER_MAC,
  packetOf,
  SERVER,
  type Sent,
  segmentWith,
  situationOf,
} from './testing/world.ts';

const OUTSIDE = '192.0.2.7';
const past = NOW_MS - 1;

interface Case {
  readonly name: string;
  readonly type: MessageType;
  readonly sent?: Sent;
  readonly leases?: readonly Lease[];
  /** `silent`, or the reply's type with its yiaddr. */
  readonly answer: string;
  /** The lease that is to be kept, in short; undefined for none. */
  readonly keeps?: string;
}

const CASES: readonly Case[] = [
  {
    name: 'DISCOVER of a machine never seen offers an address of the pool, for a minute',
    type: 'DISCOVER',
    sent: { requested: '10.99.0.104' },
    answer: 'OFFER 10.99.0.104',
    keeps: `offered 10.99.0.104 ${MAC} +60`,
  },
  {
    name: 'DISCOVER of a machine that holds a lease offers that, and does not shorten it',
    type: 'DISCOVER',
    sent: { requested: '10.99.0.104' },
    leases: [leaseWith()],
    answer: 'OFFER 10.99.0.101',
  },
  {
    name: 'DISCOVER after the lease ran out offers the same address again',
    type: 'DISCOVER',
    leases: [leaseWith({ expiresAtMs: past })],
    answer: 'OFFER 10.99.0.101',
    keeps: `offered 10.99.0.101 ${MAC} +60`,
  },
  {
    name: 'REQUEST in SELECTING takes what was offered',
    type: 'REQUEST',
    sent: { requested: '10.99.0.101', server: SERVER },
    leases: [leaseWith({ state: 'offered' })],
    answer: 'ACK 10.99.0.101',
    keeps: `bound 10.99.0.101 ${MAC} +3600`,
  },
  {
    name: 'REQUEST in SELECTING of an offer that the edge forgot when it was restarted',
    type: 'REQUEST',
    sent: { requested: '10.99.0.103', server: SERVER },
    answer: 'ACK 10.99.0.103',
    keeps: `bound 10.99.0.103 ${MAC} +3600`,
  },
  {
    name: 'REQUEST in SELECTING of a forgotten offer that was given to another machine since',
    type: 'REQUEST',
    sent: { requested: '10.99.0.103', server: SERVER },
    leases: [leaseWith({ address: '10.99.0.103', mac: OTHER_MAC })],
    answer: 'NAK 0.0.0.0',
  },
  {
    name: 'REQUEST in SELECTING for another server frees the offer',
    type: 'REQUEST',
    sent: { requested: '10.99.0.101', server: '10.99.0.2' },
    leases: [leaseWith({ state: 'offered' })],
    answer: 'silent',
    keeps: `offered 10.99.0.101 ${MAC} +0`,
  },
  {
    name: 'REQUEST in SELECTING for another server touches no lease that the machine holds here',
    type: 'REQUEST',
    sent: { requested: '10.99.0.101', server: '10.99.0.2' },
    leases: [leaseWith()],
    answer: 'silent',
  },
  {
    name: 'REQUEST in SELECTING of an address in no pool',
    type: 'REQUEST',
    sent: { requested: '10.99.0.20', server: SERVER },
    answer: 'NAK 0.0.0.0',
  },
  {
    name: 'REQUEST in SELECTING of the router',
    type: 'REQUEST',
    sent: { requested: '10.99.0.254', server: SERVER },
    answer: 'NAK 0.0.0.0',
  },
  {
    name: 'REQUEST in SELECTING of another address than its lease',
    type: 'REQUEST',
    sent: { requested: '10.99.0.102', server: SERVER },
    leases: [leaseWith()],
    answer: 'NAK 0.0.0.0',
  },
  {
    name: 'REQUEST in INIT-REBOOT of its own address',
    type: 'REQUEST',
    sent: { requested: '10.99.0.101' },
    leases: [leaseWith()],
    answer: 'ACK 10.99.0.101',
    keeps: `bound 10.99.0.101 ${MAC} +3600`,
  },
  {
    name: 'REQUEST in INIT-REBOOT of an address that it gave back and nobody took',
    type: 'REQUEST',
    sent: { requested: '10.99.0.101' },
    leases: [leaseWith({ state: 'released', expiresAtMs: past })],
    answer: 'ACK 10.99.0.101',
    keeps: `bound 10.99.0.101 ${MAC} +3600`,
  },
  {
    name: 'REQUEST in INIT-REBOOT of a wrong address of the segment',
    type: 'REQUEST',
    sent: { requested: '10.99.0.102' },
    leases: [leaseWith()],
    answer: 'NAK 0.0.0.0',
  },
  {
    name: 'REQUEST in INIT-REBOOT of an address of another segment',
    type: 'REQUEST',
    sent: { requested: OUTSIDE },
    answer: 'NAK 0.0.0.0',
  },
  {
    name: "REQUEST in INIT-REBOOT of another machine's address",
    type: 'REQUEST',
    sent: { requested: '10.99.0.101' },
    leases: [leaseWith({ mac: OTHER_MAC })],
    answer: 'NAK 0.0.0.0',
  },
  {
    name: 'REQUEST in INIT-REBOOT of a machine that we know nothing of',
    type: 'REQUEST',
    sent: { requested: '10.99.0.101' },
    answer: 'silent',
  },
  {
    name: 'REQUEST in INIT-REBOOT of an address that is quarantined',
    type: 'REQUEST',
    sent: { requested: '10.99.0.101' },
    leases: [leaseWith({ state: 'declined' })],
    answer: 'NAK 0.0.0.0',
  },
  {
    name: 'REQUEST in RENEWING',
    type: 'REQUEST',
    sent: { fields: { ciaddr: '10.99.0.101' } },
    leases: [leaseWith()],
    answer: 'ACK 10.99.0.101',
    keeps: `bound 10.99.0.101 ${MAC} +3600`,
  },
  {
    name: 'REQUEST in RENEWING of the lease that lives, when one that lives longer was read for the machine',
    type: 'REQUEST',
    sent: { fields: { ciaddr: '10.99.0.101' } },
    leases: [leaseWith(), leaseWith({ address: '10.99.0.102', expiresAtMs: NOW_MS + 99_000 })],
    answer: 'ACK 10.99.0.101',
    keeps: `bound 10.99.0.101 ${MAC} +3600`,
  },
  {
    name: 'REQUEST in RENEWING of an address that has left the pools',
    type: 'REQUEST',
    sent: { fields: { ciaddr: '10.99.0.20' } },
    leases: [leaseWith({ address: '10.99.0.20' })],
    answer: 'NAK 0.0.0.0',
  },
  {
    name: 'REQUEST in REBINDING, through a relay, of a lease that ran out a moment ago',
    type: 'REQUEST',
    sent: { fields: { ciaddr: '10.99.0.101', giaddr: '10.99.0.254' } },
    leases: [leaseWith({ expiresAtMs: past })],
    answer: 'ACK 10.99.0.101',
    keeps: `bound 10.99.0.101 ${MAC} +3600`,
  },
  {
    name: "REQUEST in REBINDING of another server's lease",
    type: 'REQUEST',
    sent: { fields: { ciaddr: '10.99.0.101' } },
    answer: 'silent',
  },
  { name: 'REQUEST that names no address', type: 'REQUEST', answer: 'silent' },
  {
    name: 'DECLINE by the owner quarantines for an hour',
    type: 'DECLINE',
    sent: { requested: '10.99.0.101', server: SERVER },
    leases: [leaseWith()],
    answer: 'silent',
    keeps: `declined 10.99.0.101 ${MAC} +3600`,
  },
  {
    name: 'DECLINE by a stranger',
    type: 'DECLINE',
    sent: { requested: '10.99.0.101', server: SERVER },
    leases: [leaseWith({ mac: OTHER_MAC })],
    answer: 'silent',
  },
  {
    name: 'DECLINE again makes the quarantine no longer',
    type: 'DECLINE',
    sent: { requested: '10.99.0.101', server: SERVER },
    leases: [leaseWith({ state: 'declined' })],
    answer: 'silent',
  },
  {
    name: 'DECLINE of a lease that ran out',
    type: 'DECLINE',
    sent: { requested: '10.99.0.101', server: SERVER },
    leases: [leaseWith({ expiresAtMs: past })],
    answer: 'silent',
  },
  { name: 'DECLINE that names no address', type: 'DECLINE', leases: [leaseWith()], answer: 'silent' },
  {
    name: 'RELEASE by the owner keeps its affinity',
    type: 'RELEASE',
    sent: { fields: { ciaddr: '10.99.0.101' }, server: SERVER },
    leases: [leaseWith()],
    answer: 'silent',
    keeps: `released 10.99.0.101 ${MAC} +0`,
  },
  {
    name: 'RELEASE by a stranger',
    type: 'RELEASE',
    sent: { fields: { ciaddr: '10.99.0.101' }, server: SERVER },
    leases: [leaseWith({ mac: OTHER_MAC })],
    answer: 'silent',
  },
  {
    name: 'RELEASE of a quarantined address does not end the quarantine',
    type: 'RELEASE',
    sent: { fields: { ciaddr: '10.99.0.101' }, server: SERVER },
    leases: [leaseWith({ state: 'declined' })],
    answer: 'silent',
  },
  {
    name: 'INFORM is told options, and no address',
    type: 'INFORM',
    sent: { fields: { ciaddr: '10.99.0.20' } },
    answer: 'ACK 0.0.0.0',
  },
  { name: 'INFORM without an address', type: 'INFORM', answer: 'silent' },
  {
    name: 'INFORM with an address that is nowhere near',
    type: 'INFORM',
    sent: { fields: { ciaddr: OUTSIDE } },
    answer: 'silent',
  },
  { name: 'OFFER, which only servers send', type: 'OFFER', answer: 'silent' },
];

function answerOf(decision: Decision): string {
  if (decision.kind === 'silent') return 'silent';
  return `${messageType.read(decision.packet.options)} ${decision.packet.yiaddr}`;
}

function leaseText(lease: Lease | undefined): string | undefined {
  return lease && `${lease.state} ${lease.address} ${lease.mac} +${(lease.expiresAtMs - NOW_MS) / 1000}`;
}

describe('what is answered, and what is kept', () => {
  for (const { name, type, sent, leases = [], answer, keeps } of CASES)
    test(name, () => {
      const decision = decideDhcp(situationOf(packetOf(type, sent), { leases: new FakeLeases(...leases) }));
      assert.equal(answerOf(decision), answer, decision.reason);
      assert.equal(leaseText(decision.lease), keeps);
    });

  test('exhausted pools offer nothing', () => {
    const segment = segmentWith({ pools: [{ first: '10.99.0.101', last: '10.99.0.101' }] });
    const leases = new FakeLeases(leaseWith({ mac: OTHER_MAC }));
    const decision = decideDhcp(situationOf(packetOf('DISCOVER'), { segment, leases }));
    assert.equal(answerOf(decision), 'silent');
    assert.match(decision.reason, /exhausted/);
  });

  test('BOOTP is passed over', () => {
    assert.equal(decideDhcp(situationOf(requestWith())).kind, 'silent');
  });
});

describe('where a reply goes (RFC 2131, section 4.1)', () => {
  const relay = { address: '10.99.0.254', port: 67 } as const;
  const link = { address: 'broadcast', port: 68 } as const;
  const cases: readonly (readonly [name: string, packet: DhcpPacket, to: Destination, broadcast: boolean])[] =
    [
      ['a client without an address', packetOf('DISCOVER'), link, false],
      ['one that asks for broadcasts', packetOf('DISCOVER', { fields: { broadcast: true } }), link, true],
      ['a relay', packetOf('DISCOVER', { fields: { giaddr: relay.address, broadcast: true } }), relay, true],
      [
        'one that renews',
        packetOf('REQUEST', { fields: { ciaddr: '10.99.0.101' } }),
        { address: '10.99.0.101', port: 68 },
        false,
      ],
      [
        'one that rebinds through a relay',
        packetOf('REQUEST', { fields: { ciaddr: '10.99.0.101', giaddr: relay.address } }),
        relay,
        false,
      ],
      [
        'one that asks for options, through a relay',
        packetOf('INFORM', { fields: { ciaddr: '10.99.0.20', giaddr: relay.address } }),
        { address: '10.99.0.20', port: 68 },
        false,
      ],
      ['a NAK on the link', packetOf('REQUEST', { fields: { ciaddr: OUTSIDE } }), link, false],
      [
        'a NAK through a relay, which must broadcast it',
        packetOf('REQUEST', { requested: OUTSIDE, fields: { giaddr: relay.address } }),
        relay,
        true,
      ],
    ];
  for (const [name, packet, to, broadcast] of cases)
    test(name, () => {
      const decision = decideDhcp(situationOf(packet, { leases: new FakeLeases(leaseWith()) }));
      assert.ok(decision.kind === 'reply', decision.reason);
      assert.deepEqual(decision.to, to);
      assert.equal(decision.packet.broadcast, broadcast);
      assert.equal(decision.packet.giaddr, packet.giaddr);
    });
});

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
