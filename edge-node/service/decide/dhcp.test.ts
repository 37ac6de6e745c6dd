import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type MessageType, messageType } from '@bootswarm/edge-node/dhcp4';
import { requestWith } from '@bootswarm/edge-node/dhcp4/testing';
import { decideDhcp } from './dhcp.ts';
import type { Lease } from './lease.ts';
import type { Decision } from './situation.ts';
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
