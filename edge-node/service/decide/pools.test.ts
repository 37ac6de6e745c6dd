import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { DhcpPolicy } from '@bootswarm/controller/contract';
import { OPTION } from '@bootswarm/edge-node/dhcp4';
import { decideDhcp } from './dhcp.ts';
import type { Lease } from './lease.ts';
import type { Decision } from './situation.ts';
import {
  FakeLeases,
  leaseWith,
  NOW_MS,
  OTHER_MAC,
  packetOf,
  SERVER,
  type Sent,
  segmentWith,
  situationOf,
} from './testing/world.ts';

const THIRD_MAC = '52:54:00:aa:00:03';
const POLICY = DhcpPolicy.parse({
  classes: [
    { name: 'vms', match: { ouis: ['52:54:00'] } },
    { name: 'racks', match: { ouis: ['b8:27:eb'] } },
  ],
});
const open = { first: '10.99.0.100', last: '10.99.0.101' };
const ofVms = { first: '10.99.0.200', last: '10.99.0.201', classes: ['vms'] };
const ofRacks = { first: '10.99.0.220', last: '10.99.0.221', classes: ['racks'] };

function offered(segment: object, leases: readonly Lease[] = [], sent: Sent = {}): Decision {
  const facts = { segment: segmentWith(segment), policy: POLICY, leases: new FakeLeases(...leases) };
  return decideDhcp(situationOf(packetOf('DISCOVER', sent), facts));
}

const textOf = (decision: Decision): string =>
  decision.kind === 'reply' ? decision.packet.yiaddr : (decision.cause ?? decision.reason);
const used = (address: string, facts: Partial<Lease> = {}) =>
  leaseWith({ address, mac: OTHER_MAC, ...facts });

describe('a pool with classes', () => {
  test('comes before the pools of everybody, wherever it stands', () => {
    assert.match(textOf(offered({ pools: [open, ofVms] })), /^10\.99\.0\.20[01]$/);
  });

  test('comes before them even where all of it had a lease that ended', () => {
    const ended = [used('10.99.0.200', { expiresAtMs: 2 }), used('10.99.0.201', { expiresAtMs: 1 })];
    assert.equal(textOf(offered({ pools: [open, ofVms] }, ended)), '10.99.0.201');
  });

  test('that is full leaves the pools of everybody', () => {
    const full = [used('10.99.0.200'), used('10.99.0.201')];
    assert.match(textOf(offered({ pools: [open, ofVms] }, full)), /^10\.99\.0\.10[01]$/);
  });

  test('is no pool for anybody else, though they ask for its address', () => {
    assert.equal(textOf(offered({ pools: [ofRacks] })), 'pool_none');
    const sent = { requested: '10.99.0.220' };
    assert.match(textOf(offered({ pools: [ofRacks, open] }, [], sent)), /^10\.99\.0\.10[01]$/);
  });

  test('that is full and has no other beside it is exhausted', () => {
    const full = [used('10.99.0.200'), used('10.99.0.201')];
    assert.equal(textOf(offered({ pools: [ofVms] }, full)), 'pool_exhausted');
  });
});

describe('an exclusion', () => {
  const exclusions = [{ first: '10.99.0.101', last: '10.99.0.109' }];

  test('is given to nobody, though they ask for it', () => {
    assert.equal(textOf(offered({ exclusions }, [], { requested: '10.99.0.105' })), '10.99.0.100');
    assert.equal(textOf(offered({ exclusions }, [used('10.99.0.100')])), 'pool_exhausted');
  });

  test('ends the lease of its address at the next renewal', () => {
    const facts = { segment: segmentWith({ exclusions }), leases: new FakeLeases(leaseWith()) };
    const renewal = packetOf('REQUEST', { fields: { ciaddr: '10.99.0.101' } });
    assert.match(decideDhcp(situationOf(renewal, facts)).reason, /in no pool/);
  });

  test('does not hold for who has the address reserved', () => {
    const reservations = [{ mac: '52:54:00:aa:00:01', address: '10.99.0.105' }];
    assert.equal(textOf(offered({ exclusions, reservations } as object)), '10.99.0.105');
  });
});

describe('leases of one relay or switch port', () => {
  const port = (name: string) => [OPTION.relayAgent, Uint8Array.of(1, 1, name.charCodeAt(0))] as const;
  const relayed: Sent = { fields: { giaddr: '10.99.0.254' } };
  const fromRelay = (address: string, facts: Partial<Lease> = {}) =>
    used(address, { relay: '10.99.0.254', ...facts });
  const perRelay = (most: number) => ({ limits: { leasesPerRelay: most } }) as object;

  test('are no more than the limit', () => {
    const two = [fromRelay('10.99.0.102'), fromRelay('10.99.0.103', { mac: THIRD_MAC })];
    assert.equal(textOf(offered(perRelay(2), two, relayed)), 'limit_reached');
    assert.match(textOf(offered(perRelay(3), two, relayed)), /^10\./);
    assert.match(textOf(offered(perRelay(2), two, {})), /^10\./, 'another relay');
  });

  test('do not count once they have ended', () => {
    const ended = fromRelay('10.99.0.102', { expiresAtMs: NOW_MS });
    assert.match(textOf(offered(perRelay(1), [ended], relayed)), /^10\./);
  });

  test('of a switch port are told apart by circuit-id', () => {
    const at = used('10.99.0.102', { port: 'direct  61' });
    const limits = { limits: { leasesPerPort: 1 } } as object;
    assert.equal(textOf(offered(limits, [at], { options: [port('a')] })), 'limit_reached');
    assert.match(textOf(offered(limits, [at], { options: [port('b')] })), /^10\./);
  });

  test('do not hinder who holds one of them', () => {
    const own = leaseWith({ relay: '10.99.0.254' });
    assert.equal(textOf(offered(perRelay(1), [own], relayed)), '10.99.0.101');
  });

  test('do not hinder who has a reservation, which counts for nobody', () => {
    const reservations = [{ mac: '52:54:00:aa:00:01', address: '10.99.0.11' }];
    const segment = { ...perRelay(1), reservations } as object;
    const decision = offered(segment, [fromRelay('10.99.0.102')], relayed);
    assert.equal(textOf(decision), '10.99.0.11');
    assert.equal(decision.lease?.relay, undefined);
    assert.equal(offered(perRelay(9), [], relayed).lease?.relay, '10.99.0.254');
  });

  test('do not hinder who was offered one of them, but who was offered one elsewhere', () => {
    const other = fromRelay('10.99.0.102');
    for (const [relay, answer] of [
      ['10.99.0.254', '10.99.0.101'],
      [undefined, 'limit_reached'],
    ] as const) {
      const mine = leaseWith({ state: 'offered', ...(relay === undefined ? {} : { relay }) });
      const most = relay === undefined ? 1 : 2;
      assert.equal(textOf(offered(perRelay(most), [other, mine], relayed)), answer);
      const facts = { segment: segmentWith(perRelay(most)), leases: new FakeLeases(other, mine) };
      const request = packetOf('REQUEST', { ...relayed, requested: mine.address, server: SERVER });
      assert.equal(textOf(decideDhcp(situationOf(request, facts))), answer);
    }
  });

  test('cannot be had by asking without an offer', () => {
    const facts = {
      segment: segmentWith(perRelay(1)),
      leases: new FakeLeases(fromRelay('10.99.0.102')),
    };
    const request = packetOf('REQUEST', { ...relayed, requested: '10.99.0.105', server: SERVER });
    assert.equal(textOf(decideDhcp(situationOf(request, facts))), 'limit_reached');
  });
});
