import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compactPeers, peerAddresses } from '@bootswarm/images/format';
import { type Asker, type Candidates, handOut, type PeerRow } from './hand-out.ts';

const random = (below: number): number => Math.floor(Math.random() * below);
const EDGE = compactPeers([{ host: '10.0.0.1', port: 8481 }]);
const FINISHED = 1;
const FETCHING = 2;

/** Peers 10.NETWORK.0.0 and on. */
function rowOf(count: number, network: number): PeerRow {
  return {
    count,
    write: (place, to, at) =>
      to.set(compactPeers([{ host: `10.${network}.${place >> 8}.${place & 255}`, port: 6881 }]), at),
  };
}

function addressesFor(swarm: Candidates, asker: Partial<Asker>, edge: Uint8Array | undefined = EDGE) {
  const whole = { isFinished: false, place: undefined, wants: undefined, ...asker };
  return peerAddresses(handOut(swarm, whole, edge, random)).map(({ host }) => host);
}

const count = (addresses: readonly string[], network: number): number =>
  addresses.filter((address) => address.startsWith(`10.${network}.`)).length;

test('who is told of whom', () => {
  const cases: readonly {
    readonly name: string;
    readonly finished: number;
    readonly fetching: number;
    readonly asks?: { readonly wants?: number; readonly isFinished?: boolean };
    readonly hasEdge?: false;
    readonly expected: { readonly edge: boolean; readonly finished: number; readonly fetching: number };
  }[] = [
    {
      name: 'the first machine is told of the edge',
      finished: 0,
      fetching: 0,
      expected: { edge: true, finished: 0, fetching: 0 },
    },
    {
      name: 'a small swarm is told of whole',
      finished: 3,
      fetching: 5,
      expected: { edge: true, finished: 3, fetching: 5 },
    },
    {
      name: 'of a large one half are finished',
      finished: 100,
      fetching: 100,
      expected: { edge: true, finished: 25, fetching: 24 },
    },
    {
      name: 'few that fetch leave room for the finished',
      finished: 100,
      fetching: 4,
      expected: { edge: true, finished: 45, fetching: 4 },
    },
    {
      name: 'few that are finished leave room for those that fetch',
      finished: 4,
      fetching: 100,
      expected: { edge: true, finished: 4, fetching: 45 },
    },
    {
      name: 'who wants few gets the edge first',
      finished: 9,
      fetching: 9,
      asks: { wants: 1 },
      expected: { edge: true, finished: 0, fetching: 0 },
    },
    {
      name: 'who wants none gets none',
      finished: 9,
      fetching: 9,
      asks: { wants: 0 },
      expected: { edge: false, finished: 0, fetching: 0 },
    },
    {
      name: 'nobody gets more than 50',
      finished: 100,
      fetching: 100,
      asks: { wants: 1000 },
      expected: { edge: true, finished: 25, fetching: 24 },
    },
    {
      name: 'who is finished is told of those that fetch',
      finished: 9,
      fetching: 9,
      asks: { isFinished: true },
      expected: { edge: false, finished: 0, fetching: 9 },
    },
    {
      name: 'an edge that does not seed is not told of',
      finished: 1,
      fetching: 1,
      hasEdge: false,
      expected: { edge: false, finished: 1, fetching: 1 },
    },
  ];
  for (const { name, asks = {}, expected, ...given } of cases) {
    const swarm = { finished: rowOf(given.finished, FINISHED), fetching: rowOf(given.fetching, FETCHING) };
    const addresses = addressesFor(swarm, asks, given.hasEdge === false ? new Uint8Array() : EDGE);
    assert.deepEqual(
      {
        edge: addresses.includes('10.0.0.1'),
        finished: count(addresses, FINISHED),
        fetching: count(addresses, FETCHING),
      },
      expected,
      name,
    );
    assert.equal(new Set(addresses).size, addresses.length, name);
  }
});

test('nobody is told of itself', () => {
  const finished = rowOf(0, FINISHED);
  for (const [fetching, wants, gets] of [
    [40, 10, 10],
    [11, 10, 10],
    [10, 10, 9],
    [1, 10, 0],
  ] as const)
    for (let round = 0; round < 100; round++) {
      const addresses = addressesFor(
        { finished, fetching: rowOf(fetching, FETCHING) },
        { place: 0, wants: wants + 1 },
      );
      assert.ok(!addresses.includes('10.2.0.0'));
      assert.equal(count(addresses, FETCHING), gets);
    }
});

test('every peer is handed out as often as the others, of a long row and of a short one', () => {
  for (const peers of [200, 30]) {
    const swarm = { finished: rowOf(peers, FINISHED), fetching: rowOf(peers, FETCHING) };
    const times = new Map<string, number>();
    const rounds = 20 * peers;
    for (let round = 0; round < rounds; round++)
      for (const address of addressesFor(swarm, { wants: 41 }))
        times.set(address, (times.get(address) ?? 0) + 1);
    assert.equal(times.get('10.0.0.1'), rounds);
    times.delete('10.0.0.1');
    assert.equal(times.size, 2 * peers);
    // Each 400 times on average, with a deviation of at most 20: six of those leave room for chance.
    for (const [address, handed] of times) assert.ok(Math.abs(handed - 400) < 120, `${address} ${handed}`);
  }
});
