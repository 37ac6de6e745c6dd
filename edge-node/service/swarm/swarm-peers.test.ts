import assert from 'node:assert/strict';
import { test } from 'node:test';
import { peerAddresses } from '@bootswarm/images/format';
import fc from 'fast-check';
import { announceSeconds, forgetAfterSeconds } from './interval.ts';
import type { PeerList } from './peer-list.ts';
import { type Endpoint, SwarmPeers } from './swarm-peers.ts';

const peer = (last: number, port = 6881): Endpoint => ({ address: 10 * 2 ** 24 + last, port });
const told = (list: PeerList): readonly string[] => {
  const compact = new Uint8Array(list.count * 6);
  for (let place = 0; place < list.count; place++) list.write(place, compact, place * 6);
  return peerAddresses(compact)
    .map(({ host, port }) => `${host}:${port}`)
    .toSorted();
};

test('a peer fetches, is finished, and leaves', () => {
  const swarm = new SwarmPeers();
  swarm.announce(peer(1), false, 100);
  swarm.announce(peer(2), false, 100);
  assert.deepEqual(told(swarm.fetching), ['10.0.0.1:6881', '10.0.0.2:6881']);
  swarm.announce(peer(1), true, 100);
  assert.deepEqual([told(swarm.finished), told(swarm.fetching)], [['10.0.0.1:6881'], ['10.0.0.2:6881']]);
  // Its disk was wiped: it begins anew.
  swarm.announce(peer(1), false, 100);
  assert.deepEqual([told(swarm.finished), swarm.fetching.count], [[], 2]);
  swarm.leave(peer(2));
  swarm.leave(peer(2));
  swarm.leave(peer(3));
  assert.deepEqual([told(swarm.fetching), swarm.size], [['10.0.0.1:6881'], 1]);
});

test('whoever is silent is forgotten, and whoever announces in time is not', () => {
  const swarm = new SwarmPeers();
  for (const last of [1, 2, 3]) swarm.announce(peer(last), last === 3, 100);
  swarm.announce(peer(2), false, 200);
  swarm.forget(99);
  assert.equal(swarm.size, 3);
  swarm.forget(100);
  assert.deepEqual([told(swarm.fetching), told(swarm.finished)], [['10.0.0.2:6881'], []]);
  swarm.forget(200);
  assert.equal(swarm.size, 0);
});

test('one address has few places, and the newest ports keep them', () => {
  const swarm = new SwarmPeers();
  for (let port = 1; port <= 1000; port++) {
    swarm.announce(peer(1, port), false, 100);
    swarm.announce(peer(1, 1), false, 100);
  }
  assert.deepEqual(told(swarm.fetching), ['10.0.0.1:1', '10.0.0.1:1000', '10.0.0.1:998', '10.0.0.1:999']);
});

test('a full swarm keeps whom it knows', () => {
  const swarm = new SwarmPeers();
  for (let last = 0; last < 20_000; last++) swarm.announce(peer(last), false, 100);
  assert.equal(swarm.size, 16_384);
  swarm.announce(peer(5), true, 100);
  assert.deepEqual(told(swarm.finished), ['10.0.0.5:6881']);
  const small = new SwarmPeers();
  small.announce(peer(1), false, 100, false);
  assert.equal(small.size, 0);
});

test('what a swarm knows is what it was told', () => {
  const step = fc.record({
    last: fc.nat({ max: 5 }),
    port: fc.integer({ min: 1, max: 3 }),
    does: fc.constantFrom('fetch', 'finish', 'leave', 'forget'),
    at: fc.nat({ max: 50 }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const swarm = new SwarmPeers();
      const known = new Map<string, { isFinished: boolean; at: number }>();
      for (const { last, port, does, at } of steps) {
        const name = `10.0.0.${last}:${port}`;
        if (does === 'leave') {
          swarm.leave(peer(last, port));
          known.delete(name);
        } else if (does === 'forget') {
          swarm.forget(at);
          for (const [each, { at: until }] of known) if (until <= at) known.delete(each);
        } else {
          swarm.announce(peer(last, port), does === 'finish', at);
          known.set(name, { isFinished: does === 'finish', at });
        }
      }
      const expected = (isFinished: boolean): readonly string[] =>
        [...known]
          .filter(([, held]) => held.isFinished === isFinished)
          .map(([each]) => each)
          .toSorted();
      assert.deepEqual([told(swarm.finished), told(swarm.fetching)], [expected(true), expected(false)]);
    }),
  );
});

test('the larger a swarm, the less often it announces', () => {
  for (const [peers, seconds] of [
    [0, 30],
    [1, 30],
    [1_500, 30],
    [1_501, 31],
    [10_000, 200],
    [1e6, 600],
  ] as const)
    assert.equal(announceSeconds(peers), seconds, `${peers} peers`);
  assert.equal(forgetAfterSeconds(30), 70);
});
