import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decideDhcp } from '../decide/dhcp.ts';
import type { Lease } from '../decide/lease.ts';
import { NOW_MS, packetOf, poolOf, SERVER, segmentWith, situationOf } from '../decide/testing/world.ts';
import { FakeLeaseLog } from '../testing/fake-lease-log.ts';
import { LeaseTable } from './lease-table.ts';

const LEASE_SECONDS = 60;
const YEAR_MS = 365 * 24 * 3_600_000;
const segment = segmentWith({
  pools: [{ first: '10.99.0.100', last: '10.99.0.103' }],
  leaseSeconds: LEASE_SECONDS,
});
/** Of the pool and beside it. */
const addresses = [...poolOf(segment), '10.99.0.20', '192.0.2.1'];
const macs = Array.from({ length: 6 }, (_, index) => `52:54:00:aa:00:0${index}`);

const address = fc.constantFrom(...addresses);
const server = fc.constantFrom(SERVER, SERVER, '10.99.0.2');
const packet = fc.oneof(
  fc.record({ type: fc.constant('DISCOVER' as const) }),
  fc.record({ type: fc.constant('DISCOVER' as const), requested: address }),
  fc.record({ type: fc.constant('REQUEST' as const), requested: address, server }),
  fc.record({ type: fc.constant('REQUEST' as const), requested: address }),
  fc.record({ type: fc.constant('REQUEST' as const), ciaddr: address }),
  fc.record({ type: fc.constant('DECLINE' as const), requested: address, server }),
  fc.record({ type: fc.constant('RELEASE' as const), ciaddr: address, server }),
);
const event = fc.record({
  mac: fc.constantFrom(...macs),
  packet,
  passSeconds: fc.oneof({ weight: 5, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(4000) }),
  /** By so many years somebody sets the clock of the host. */
  setYears: fc.oneof(
    { weight: 9, arbitrary: fc.constant(0) },
    { weight: 1, arbitrary: fc.integer({ min: -30, max: 30 }) },
  ),
  /** 0: the disk refuses what is decided. 1: the edge is restarted after it. */
  chance: fc.nat(19),
});

test('whatever clients send, no address is live for two machines and no live lease is given away', () => {
  fc.assert(
    fc.property(fc.array(event, { maxLength: 60, size: 'max' }), (events) => {
      const log = new FakeLeaseLog();
      let table = new LeaseTable(log);
      let nowMs = NOW_MS;
      /** What clients believe: by address, whose it is and until when, as the ACKs told them. */
      const acked = new Map<string, { mac: string; untilMs: number }>();

      for (const { mac, packet: sent, passSeconds, setYears, chance } of events) {
        nowMs += passSeconds * 1000;
        if (setYears !== 0) {
          nowMs += setYears * YEAR_MS;
          log.isBroken = false;
          table.rewrite(table.shift(setYears * YEAR_MS));
          for (const owner of acked.values()) owner.untilMs += setYears * YEAR_MS;
        }
        const fields = 'ciaddr' in sent ? { fields: { ciaddr: sent.ciaddr } } : {};
        const decision = decideDhcp(
          situationOf(packetOf(sent.type, { ...sent, mac, ...fields }), { segment, leases: table, nowMs }),
        );
        log.isBroken = chance === 0;
        const isKept = decision.lease === undefined || isKeptBy(table, decision.lease);
        if (decision.kind === 'reply' && decision.packet.yiaddr !== '0.0.0.0') {
          const { yiaddr } = decision.packet;
          assert.ok(poolOf(segment).includes(yiaddr), `${yiaddr} is in no pool`);
          const owner = acked.get(yiaddr);
          if (owner && owner.untilMs > nowMs)
            assert.equal(owner.mac, mac, `${yiaddr} was given away while it was live`);
          if (isKept && decision.lease?.state === 'bound')
            acked.set(yiaddr, { mac, untilMs: decision.lease.expiresAtMs });
        }
        if (isKept && decision.kind === 'silent') follow(acked, decision.lease);
        // kill -9: what was not durable is gone, what was acknowledged is not.
        if (chance === 1) table = new LeaseTable(log);
        for (const [held, { mac: owner, untilMs }] of acked) {
          if (untilMs <= nowMs) continue;
          assert.equal(table.at(held)?.mac, owner, `the live lease of ${held}`);
          assert.ok((log.written.get(held)?.expiresAtMs ?? 0) >= untilMs, `${held} is durable`);
        }
      }
    }),
    { numRuns: 400 },
  );
});

function isKeptBy(table: LeaseTable, lease: Lease): boolean {
  table.remember(lease);
  try {
    table.flush();
    return true;
  } catch {
    return false;
  }
}

/** A machine that released or declined an address believes in it no longer. */
function follow(acked: Map<string, { mac: string; untilMs: number }>, lease: Lease | undefined): void {
  if (lease?.state === 'released' || lease?.state === 'declined') acked.delete(lease.address);
}
