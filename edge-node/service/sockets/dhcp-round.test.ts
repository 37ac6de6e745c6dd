import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type DhcpPacket, decode, encode, messageType } from '@bootswarm/edge-node/dhcp4';
import { HTTP_URL, leaseWith, NOW_MS, packetOf, SERVER, segmentWith } from '../decide/testing/world.ts';
import { LeaseTable } from '../state/lease-table.ts';
import { FakeLeaseLog } from '../testing/fake-lease-log.ts';
import type { Sendable } from './datagram-batch.ts';
import { playRound } from './dhcp-round.ts';

const segment = segmentWith({ pools: [{ first: '10.99.0.100', last: '10.99.0.199' }] });

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
  const datagrams = packets.map((packet) => ({ bytes: encode(packet) }));
  const surroundings = { segments: [segment], serverAddress: SERVER, httpUrl: HTTP_URL, nowMs: NOW_MS };
  return { news: playRound(datagrams, surroundings, { leases: table, send }), sent, table };
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
