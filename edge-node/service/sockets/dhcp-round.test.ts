import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type DhcpPacket, decode, encode, messageType } from '@bootswarm/edge-node/dhcp4';
import {
  FakeRates,
  HTTP_URL,
  leaseWith,
  NOW_MS,
  packetOf,
  SERVER,
  segmentWith,
  siteOf,
} from '../decide/testing/world.ts';
import { AlarmGate } from '../state/alarm-gate.ts';
import { LeaseTable } from '../state/lease-table.ts';
import { RecentConversations } from '../state/recent-conversations.ts';
import { FakeLeaseLog } from '../testing/fake-lease-log.ts';
import type { Sendable } from './datagram-batch.ts';
import { playConflicts, playRound } from './dhcp-round.ts';

const site = siteOf(segmentWith({ pools: [{ first: '10.99.0.100', last: '10.99.0.199' }] }));

/** A round, and what left before and after the leases were written. */
function play(log: FakeLeaseLog, packets: readonly DhcpPacket[], table = new LeaseTable(log)) {
  const sent: { type: string | undefined; yiaddr: string; writesBefore: number }[] = [];
  const send = (replies: readonly Sendable[]): void => {
    for (const { bytes } of replies) {
      const decoded = decode(bytes);
      assert.ok(decoded.ok);
      const { options, yiaddr } = decoded.packet;
      sent.push({ type: messageType.read(options), yiaddr, writesBefore: log.writes });
    }
  };
  const pinged: string[] = [];
  const news = playRound(
    packets.map((packet) => ({ bytes: encode(packet), address: '0.0.0.0', port: 68 })),
    {
      site,
      rates: new FakeRates(),
      serverAddress: SERVER,
      httpUrl: HTTP_URL,
      hasFile: () => true,
      service: 'dhcp',
      nowMs: NOW_MS,
    },
    {
      leases: table,
      conversations: new RecentConversations(),
      alarms: new AlarmGate(),
      send,
      ping: (addresses) => pinged.push(...addresses),
    },
  );
  return { news, sent, table, pinged };
}

const macOf = (number: number): string =>
  [
    '52',
    '54',
    '00',
    'aa',
    ...[number >> 8, number & 255].map((byte) => byte.toString(16).padStart(2, '0')),
  ].join(':');
const request = (mac: string, address: string): DhcpPacket =>
  packetOf('REQUEST', { mac, requested: address, server: SERVER });

test('offers leave before the disk is asked, ACKs after all leases of the round are on it', () => {
  const log = new FakeLeaseLog();
  const { sent, news } = play(log, [
    request(macOf(1), '10.99.0.101'),
    packetOf('DISCOVER', { mac: macOf(2) }),
    request(macOf(3), '10.99.0.103'),
  ]);
  assert.deepEqual(
    sent.map(({ type, writesBefore }) => `${type} ${writesBefore}`),
    ['OFFER 0', 'ACK 1', 'ACK 1'],
  );
  assert.deepEqual([...log.written.keys()], ['10.99.0.101', '10.99.0.103']);
  assert.deepEqual(news.counts, ['dhcp reply', 'dhcp reply', 'dhcp reply']);
  assert.deepEqual(
    news.leases.map(({ address }) => address),
    ['10.99.0.101', '10.99.0.103'],
  );
});

test('where the disk refuses, no ACK leaves, offers did, and the news says why', () => {
  const log = new FakeLeaseLog(leaseWith({ address: '10.99.0.101', mac: macOf(1), expiresAtMs: 5 }));
  log.isBroken = true;
  const { sent, news, table } = play(log, [
    request(macOf(1), '10.99.0.101'),
    packetOf('DISCOVER', { mac: macOf(2) }),
  ]);
  assert.deepEqual(
    sent.map(({ type }) => type),
    ['OFFER'],
  );
  assert.match(news.failure ?? '', /ENOSPC/);
  assert.deepEqual(news.leases, []);
  assert.equal(table.at('10.99.0.101')?.expiresAtMs, 5);
});

test('a thousand machines in one round are one write, and no two get one address', () => {
  const log = new FakeLeaseLog();
  const table = new LeaseTable(log);
  const machines = Array.from({ length: 1000 }, (_, number) => macOf(number));
  const offers = play(
    log,
    machines.map((mac) => packetOf('DISCOVER', { mac })),
    table,
  ).sent;
  // The pool holds a hundred; the others hear nothing.
  assert.equal(offers.length, 100);
  assert.equal(new Set(offers.map(({ yiaddr }) => yiaddr)).size, 100);
  const held = machines.flatMap((mac) => {
    const lease = table.ofMac('seg', mac);
    return lease ? [request(mac, lease.address)] : [];
  });
  const acks = play(log, held, table).sent;
  assert.equal(acks.filter(({ type }) => type === 'ACK').length, 100);
  assert.equal(log.writes, 1);
});

test('new addresses are pinged when their offers have left', () => {
  const { sent, pinged } = play(new FakeLeaseLog(), [
    packetOf('DISCOVER', { mac: macOf(1) }),
    packetOf('DISCOVER', { mac: macOf(2) }),
  ]);
  assert.deepEqual(
    pinged,
    sent.map(({ yiaddr }) => yiaddr),
  );
});

describe('somebody answers at an address', () => {
  const address = '10.99.0.101';
  /** What the edge thinks of it after the answer. */
  const after = (state: 'offered' | 'bound', log = new FakeLeaseLog()) => {
    const table = new LeaseTable(log);
    table.remember(leaseWith({ state }));
    if (state === 'bound') table.flush();
    return { table, log, news: playConflicts([address, '10.99.0.102'], site, table, NOW_MS) };
  };

  test('that was only offered: it is kept back, durably, and its machine is told no', () => {
    const { table, log, news } = after('offered');
    assert.equal(table.at(address)?.state, 'declined');
    assert.equal(log.written.get(address)?.state, 'declined');
    const [record] = news.journal;
    assert.deepEqual([record?.cause, record?.address], ['address_conflict', address]);
    const { sent, news: next } = play(log, [request(leaseWith().mac, address)], table);
    assert.deepEqual(
      sent.map(({ type }) => type),
      ['NAK'],
    );
    assert.equal(next.journal[0]?.cause, 'address_conflict');
    const { sent: again } = play(log, [packetOf('DISCOVER')], table);
    assert.notEqual(again[0]?.yiaddr, address);
  });

  test('that is leased: it is the machine itself', () => {
    const { table, news } = after('bound');
    assert.equal(table.at(address)?.state, 'bound');
    assert.deepEqual(news.counts, []);
  });

  test('while the disk is full: the offer stays as it was, and the news says why', () => {
    const log = new FakeLeaseLog();
    log.isBroken = true;
    const { news } = after('offered', log);
    assert.match(news.failure ?? '', /ENOSPC/);
    assert.deepEqual(news.leases, []);
  });
});

test('a host that answers for every address cannot keep the pool back', () => {
  const log = new FakeLeaseLog();
  const table = new LeaseTable(log);
  for (let at = 0; at < 100; at++) {
    table.remember(leaseWith({ address: `10.99.0.${100 + at}`, mac: macOf(at), state: 'offered' }));
    playConflicts([`10.99.0.${100 + at}`], site, table, NOW_MS);
  }
  const kept = [...table.all()].filter(({ expiresAtMs }) => expiresAtMs > NOW_MS);
  assert.equal(kept.length, 10);
});

test('an alarm is journaled once, however often it is raised', () => {
  const stray = (mac: string) => packetOf('REQUEST', { mac, requested: '10.99.0.101', server: '10.99.0.66' });
  const { news } = play(new FakeLeaseLog(), [stray(macOf(1)), stray(macOf(2)), stray(macOf(3))]);
  assert.equal(news.journal.filter(({ stage }) => stage === 'alarm').length, 1);
});
