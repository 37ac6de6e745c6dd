import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { OPTION } from '@bootswarm/edge-node/dhcp4';
import type { Lease } from './lease.ts';
import { rateExceeded } from './rates.ts';
import {
  FakeRates,
  leaseWith,
  MAC,
  NOW_MS,
  OTHER_MAC,
  packetOf,
  type Sent,
  segmentWith,
  situationOf,
} from './testing/world.ts';

const segment = (limits: object, more: object = {}) => segmentWith({ limits, ...more } as object);
const reservations = [{ mac: MAC, address: '10.99.0.11' }];

/** How many of ten messages pass. */
function passed(of: ReturnType<typeof segmentWith>, sentAt: (at: number) => Sent, held?: Lease): number {
  const rates = new FakeRates();
  const excesses = Array.from({ length: 10 }, (_, at) =>
    rateExceeded(situationOf(packetOf('DISCOVER', sentAt(at)), { segment: of }), held, rates),
  );
  return excesses.filter((excess) => excess === undefined).length;
}

const stranger = (at: number): Sent => ({ mac: `52:54:00:bb:00:0${at}`, fields: { giaddr: '10.99.0.254' } });
const same = (): Sent => ({ mac: MAC, fields: { giaddr: '10.99.0.254' } });
const onPort = (at: number): Sent => ({
  ...stranger(at),
  options: [[OPTION.relayAgent, Uint8Array.of(1, 1, at % 2)]],
});

describe('of ten messages within a second', () => {
  const cases: readonly (readonly [
    name: string,
    of: ReturnType<typeof segmentWith>,
    sent: (at: number) => Sent,
    held: Lease | undefined,
    passed: number,
  ])[] = [
    ['all pass where nothing is limited', segment({}), stranger, undefined, 10],
    ['as many of one MAC pass as it may send', segment({ perMac: 4 }), same, undefined, 4],
    ['one MAC does not use up what another may send', segment({ perMac: 1 }), stranger, undefined, 10],
    ['as many strangers pass as their relay may bring', segment({ perRelay: 3 }), stranger, undefined, 3],
    ['as many strangers pass as each switch port may bring', segment({ perPort: 3 }), onPort, undefined, 6],
    [
      'the limit of switch ports is none where no port is told',
      segment({ perPort: 3 }),
      stranger,
      undefined,
      10,
    ],
    [
      'a machine with a live lease passes the limit of its relay',
      segment({ perRelay: 3 }),
      same,
      leaseWith(),
      10,
    ],
    [
      'a machine whose lease has ended does not',
      segment({ perRelay: 3 }),
      same,
      leaseWith({ expiresAtMs: NOW_MS }),
      3,
    ],
    ['an offer is no lease', segment({ perRelay: 3 }), same, leaseWith({ state: 'offered' }), 3],
    [
      'a machine with a reservation passes the limit of its relay',
      segment({ perRelay: 3 }, { reservations }),
      same,
      undefined,
      10,
    ],
    ['but not its own', segment({ perMac: 2, perRelay: 3 }, { reservations }), same, undefined, 2],
  ];
  for (const [name, of, sent, held, count] of cases)
    test(name, () => assert.equal(passed(of, sent, held), count));

  test('those of another segment do not count', () => {
    const rates = new FakeRates();
    const other = segmentWith({ name: 'other', limits: { perMac: 1, perRelay: 1 } } as object);
    const of = (within: ReturnType<typeof segmentWith>) =>
      rateExceeded(situationOf(packetOf('DISCOVER'), { segment: within }), undefined, rates);
    assert.equal(of(other), undefined);
    assert.equal(of(segment({ perMac: 1, perRelay: 1 })), undefined);
    assert.match(of(other)?.reason ?? '', /more than 1 messages a second/);
  });

  test('a flood of strangers says where it comes from, one MAC says itself', () => {
    const rates = new FakeRates();
    const of = (sent: Sent) =>
      rateExceeded(
        situationOf(packetOf('DISCOVER', sent), { segment: segment({ perMac: 1, perRelay: 1 }) }),
        undefined,
        rates,
      );
    of(stranger(0));
    assert.equal(of(stranger(1))?.origin, '10.99.0.254');
    assert.equal(of(stranger(1))?.origin, undefined);
    assert.match(of({ mac: OTHER_MAC })?.reason ?? '', /^$/);
  });
});
