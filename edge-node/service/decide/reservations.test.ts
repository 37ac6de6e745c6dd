import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { clientId, machineId, OPTION } from '@bootswarm/edge-node/dhcp4';
import { type Allocation, allocate } from './allocate.ts';
import { decideDhcp } from './dhcp.ts';
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

const UUID = '11111111-2222-3333-4444-555555555555';
const CLIENT_ID = clientId.write({ type: 0, id: Buffer.from('printer') });
const PORT = [OPTION.relayAgent, Uint8Array.of(1, 3, ...Buffer.from('p/7'))] as const;
const BY = {
  mac: { mac: MAC, address: '10.99.0.11' },
  uuid: { uuid: UUID, address: '10.99.0.12' },
  clientId: { clientId: '00:70:72:69:6e:74:65:72', address: '10.99.0.13' },
  port: { port: { circuitId: 'p/*' }, address: '10.99.0.14' },
} as const;
const EVERYTHING: Sent = { options: [machineId.write(UUID), CLIENT_ID, PORT] };

const inSegment = (...reservations: readonly object[]) =>
  segmentWith({ pools: [{ first: '10.99.0.100', last: '10.99.0.101' }], reservations } as object);

function given(reservations: readonly object[], sent: Sent, ...leases: readonly Lease[]): Allocation {
  const segment = inSegment(...reservations);
  const facts = { segment, leases: new FakeLeases(...leases) };
  return allocate(situationOf(packetOf('DISCOVER', sent), facts), undefined);
}

const addressOf = (allocation: Allocation) =>
  allocation.kind === 'address' ? allocation.address : allocation.cause;

describe('a reserved address', () => {
  const cases: readonly (readonly [name: string, reservations: readonly object[], address: string])[] = [
    ['is found by MAC before all else', [BY.port, BY.clientId, BY.uuid, BY.mac], '10.99.0.11'],
    ['is found by UUID, where none is for the MAC', [BY.port, BY.clientId, BY.uuid], '10.99.0.12'],
    ['is found by client identifier, where none is for the UUID', [BY.port, BY.clientId], '10.99.0.13'],
    ['is found by switch port, where nothing else is known', [BY.port], '10.99.0.14'],
  ];
  for (const [name, reservations, address] of cases)
    test(name, () => assert.equal(addressOf(given(reservations, EVERYTHING)), address));

  test('is not for who is plugged in elsewhere', () => {
    const elsewhere = { options: [[OPTION.relayAgent, Uint8Array.of(1, 1, 113)]] } as const;
    assert.match(addressOf(given([BY.port], elsewhere)), /10\.99\.0\.10[01]/);
    const other = { port: { circuitId: 'p/*', relay: '10.99.0.254' }, address: '10.99.0.14' };
    assert.notEqual(addressOf(given([other], { options: [PORT] })), '10.99.0.14');
    const relayed = { options: [PORT], fields: { giaddr: '10.99.0.254' } };
    assert.equal(addressOf(given([other], relayed)), '10.99.0.14');
  });

  test('inside a pool is given to nobody else, though they ask for it and all others are taken', () => {
    const reserved = { mac: OTHER_MAC, address: '10.99.0.101' };
    const taken = leaseWith({ address: '10.99.0.100', mac: '52:54:00:00:00:07' });
    assert.equal(addressOf(given([reserved], { requested: '10.99.0.101' })), '10.99.0.100');
    assert.equal(addressOf(given([reserved], {}, taken)), 'pool_exhausted');
    assert.equal(addressOf(given([reserved], { mac: OTHER_MAC }, taken)), '10.99.0.101');
  });

  test('that somebody else has a live lease of waits for its end: until then one of the pool serves', () => {
    const held = leaseWith({ address: '10.99.0.11', mac: OTHER_MAC });
    assert.match(addressOf(given([BY.mac], {}, held)), /10\.99\.0\.10[01]/);
    assert.equal(addressOf(given([BY.mac], {}, { ...held, expiresAtMs: NOW_MS })), '10.99.0.11');
  });

  test('that was found in use is not given while it is in quarantine', () => {
    const declined = leaseWith({ address: '10.99.0.11', state: 'declined' });
    assert.match(addressOf(given([BY.mac], {}, declined)), /10\.99\.0\.10[01]/);
  });

  test('of a switch port moves at once to the card that is plugged in there now', () => {
    const before = leaseWith({ address: '10.99.0.14', mac: OTHER_MAC, reservation: 'port  p/* ' });
    assert.equal(addressOf(given([BY.port], { options: [PORT] }, before)), '10.99.0.14');
    const segment = inSegment(BY.port);
    const request = packetOf('REQUEST', { requested: '10.99.0.14', server: SERVER, options: [PORT] });
    const decision = decideDhcp(situationOf(request, { segment, leases: new FakeLeases(before) }));
    assert.equal(decision.kind === 'reply' && decision.packet.yiaddr, '10.99.0.14', decision.reason);
    assert.deepEqual([decision.lease?.mac, decision.lease?.reservation], [MAC, before.reservation]);
  });

  test('is refused to a stranger that asks for it by name', () => {
    const segment = inSegment({ mac: OTHER_MAC, address: '10.99.0.101' });
    const request = packetOf('REQUEST', { requested: '10.99.0.101', server: SERVER });
    assert.match(decideDhcp(situationOf(request, { segment })).reason, /in no pool for this machine/);
  });
});

test('a reservation without an address gives one of the pools', () => {
  assert.match(addressOf(given([{ mac: MAC, hostname: 'node1' }], {})), /10\.99\.0\.10[01]/);
});

test('reservations serve a segment without pools, and strangers hear that there is none', () => {
  const segment = segmentWith({ pools: [], reservations: [BY.mac] } as object);
  const of = (mac: string) => allocate(situationOf(packetOf('DISCOVER', { mac }), { segment }), undefined);
  assert.equal(addressOf(of(MAC)), '10.99.0.11');
  assert.equal(addressOf(of(OTHER_MAC)), 'pool_none');
});
