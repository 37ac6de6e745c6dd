import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DesiredState } from '@bootswarm/controller/contract';
import type { Lease } from '../decide/lease.ts';
import { leaseWith, MAC, OTHER_MAC, segmentWith } from '../decide/testing/world.ts';
import { SwarmDesk } from './swarm-desk.ts';

const EDGE = '10.1.2.1';
const intent = { kind: 'live', release: 'minimal/1.0/amd64', by: 'agent' } as const;
const segment = segmentWith({ swarm: { from: 2 } });
const lease = leaseWith({ segment: segment.name, mac: MAC, expiresAtMs: 10_000 });
const other = { ...lease, mac: OTHER_MAC, address: '10.1.2.9' };
const releases = [
  { name: 'minimal', version: '1.0', architecture: 'amd64', artefacts: [{ role: 'root', sha256: 'aa' }] },
];
const machines = [MAC, OTHER_MAC].map((mac) => ({ id: mac, macs: [mac], intent, epoch: 1 }));

function deskWith(world: { leases: Lease[]; given: string[]; nowMs: number }): SwarmDesk {
  return new SwarmDesk({
    serving: {
      state: { machines, releases } as unknown as DesiredState,
      segmentOf: () => segment,
    },
    leases: () => world.leases,
    isOpen: () => true,
    isGiven: (sha256) => world.given.includes(sha256),
    clock: () => world.nowMs,
  });
}

test('machines share once there are enough of them, and the edge gives what they fetch', () => {
  const world = { leases: [lease], given: ['aa'], nowMs: 0 };
  const desk = deskWith(world);
  const terms = () => desk.termsFor(lease, { intent }, EDGE);
  assert.equal(terms(), undefined);
  world.leases = [lease, other];
  assert.equal(terms(), undefined, 'they are counted once a second');
  world.nowMs = 1_000;
  assert.deepEqual(terms(), { subnet: segment.subnet, edge: EDGE });
  world.given = [];
  assert.equal(terms(), undefined);
});

test('who fetches nothing shares nothing', () => {
  const desk = deskWith({ leases: [lease, other], given: ['aa'], nowMs: 0 });
  assert.equal(desk.termsFor(lease, { intent: { kind: 'local' } }, EDGE), undefined);
  assert.equal(desk.termsFor(lease, { intent: { ...intent, release: 'unknown/1/amd64' } }, EDGE), undefined);
});
