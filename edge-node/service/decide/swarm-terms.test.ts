import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type DesiredState, type Intent, Profile } from '@bootswarm/controller/contract';
import type { Lease } from './lease.ts';
import { fetchersIn, SWARM_FROM, swarmTerms } from './swarm-terms.ts';
import { leaseWith, segmentWith } from './testing/world.ts';

const RELEASE = 'minimal/1.0/amd64';
const PROFILE = Profile.parse({
  name: 'web',
  kind: 'image',
  release: RELEASE,
  layout: { disks: [{ serial: 'S-1' }] },
});
const live: Intent = { kind: 'live', release: RELEASE, by: 'agent' };

const macOf = (number: number): string => `52:54:00:00:00:0${number}`;

function leaseOf(number: number, more: Partial<Lease> = {}): Lease {
  const { name } = segmentWith();
  return leaseWith({
    segment: name,
    mac: macOf(number),
    address: `10.1.2.${number}`,
    expiresAtMs: 1000,
    ...more,
  });
}

function machineOf(number: number, intent: Intent): DesiredState['machines'][number] {
  return { id: `m-${number}`, macs: [macOf(number)], intent, epoch: 1 };
}

describe('machines of a segment that fetch a release', () => {
  const cases: readonly {
    readonly name: string;
    readonly intent: Intent;
    readonly lease?: Partial<Lease>;
    readonly isOpen?: boolean;
    readonly expected: number;
  }[] = [
    { name: 'live by the agent', intent: live, expected: 1 },
    { name: 'installed by a profile', intent: { kind: 'install', profile: 'web' }, expected: 1 },
    {
      name: 'installed already',
      intent: { kind: 'install', profile: 'web' },
      isOpen: false,
      expected: 0,
    },
    {
      name: 'another release in the place of its profile',
      intent: { kind: 'install', profile: 'web', release: 'other/1/amd64' },
      expected: 0,
    },
    { name: 'live by its own initramfs', intent: { kind: 'live', release: RELEASE }, expected: 0 },
    { name: 'from its own disk', intent: { kind: 'local' }, expected: 0 },
    { name: 'in another segment', intent: live, lease: { segment: 'elsewhere' }, expected: 0 },
    { name: 'without a lease that holds', intent: live, lease: { expiresAtMs: 10 }, expected: 0 },
    { name: 'with an address that was only offered', intent: live, lease: { state: 'offered' }, expected: 0 },
  ];
  for (const { name, intent, lease = {}, isOpen = true, expected } of cases)
    test(name, () => {
      const state = { machines: [machineOf(1, intent)], profiles: [PROFILE] };
      const fetchers = fetchersIn(segmentWith(), state, [leaseOf(1, lease)], () => isOpen, 500);
      assert.equal(fetchers.get(RELEASE) ?? 0, expected);
    });

  test('those without an intent do what their segment says', () => {
    const segment = segmentWith({ defaultIntent: live });
    const leases = [leaseOf(1), leaseOf(2)];
    const fetchers = fetchersIn(segment, { machines: [] }, leases, () => true, 500);
    assert.equal(fetchers.get(RELEASE), 2);
  });
});

describe('whether a machine fetches of its neighbours', () => {
  const edge = '10.1.2.1';
  const { subnet } = segmentWith();

  test('from as many on as was measured', () => {
    assert.equal(swarmTerms(segmentWith(), SWARM_FROM - 1, edge), undefined);
    assert.deepEqual(swarmTerms(segmentWith(), SWARM_FROM, edge), { subnet, edge });
  });

  test('from as many on as its segment says, and as fast', () => {
    const segment = segmentWith({ swarm: { from: 2, machineRate: 5_000_000 } });
    assert.equal(swarmTerms(segment, 1, edge), undefined);
    assert.deepEqual(swarmTerms(segment, 2, edge), { subnet, edge, uploadRate: 5_000_000 });
  });
});
