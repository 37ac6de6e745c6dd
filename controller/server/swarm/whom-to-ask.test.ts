import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rateSharers, STALLED_MS, type SwarmEdge, whomToAsk } from './whom-to-ask.ts';

const IMAGE = 'ab'.repeat(32);
const NOW_MS = 1_000_000;

interface Given {
  readonly site?: string;
  readonly has?: true;
  /** Seconds ago. */
  readonly begun?: number;
  readonly progressed?: number;
}

/** Edges by name; each has the address `10.0.0.N`, N its place. */
function edgesOf(given: Readonly<Record<string, Given>>): readonly SwarmEdge[] {
  return Object.entries(given).map(([name, { site, has, begun, progressed = 0 }], at) => ({
    name,
    site,
    address: `10.0.0.${at + 1}`,
    port: 8483,
    has: new Set(has ? [IMAGE] : []),
    fetching: new Map(
      begun === undefined
        ? []
        : [
            [
              IMAGE,
              {
                begunAtMs: NOW_MS - begun * 1000,
                progressedAtMs: NOW_MS - Math.min(begun, progressed) * 1000,
              },
            ] as const,
          ],
    ),
  }));
}

function told(asker: string, given: Readonly<Record<string, Given>>) {
  const edges = edgesOf(given);
  const edge = edges.find(({ name }) => name === asker) as SwarmEdge;
  const { outside, by, peers, fetchers } = whomToAsk(edge, IMAGE, edges, NOW_MS);
  const names = peers.map(({ address }) => edges.find((each) => each.address === address)?.name);
  return { outside, by, peers: names, fetchers };
}

const stalled = STALLED_MS / 1000;

test('whom an edge is told to ask', () => {
  const cases: readonly (readonly [string, ReturnType<typeof told>, ReturnType<typeof told>])[] = [
    [
      'alone: the controller',
      told('a', { a: { begun: 0 } }),
      { outside: true, by: undefined, peers: [], fetchers: 1 },
    ],
    [
      'without sites everyone fetches from outside, from those that have it and those that fetch it',
      told('b', { a: { begun: 1 }, b: { begun: 1 }, c: { has: true }, d: {} }),
      { outside: true, by: undefined, peers: ['c', 'a'], fetchers: 2 },
    ],
    [
      'of a site the first by name fetches from outside',
      told('a', { a: { site: 's', begun: 1 }, b: { site: 's', begun: 1 }, x: { has: true } }),
      { outside: true, by: undefined, peers: ['b', 'x'], fetchers: 1 },
    ],
    [
      'the others of that site have it from there alone, and are told who fetches',
      told('b', {
        a: { site: 's', begun: 1 },
        b: { site: 's', begun: 1 },
        c: { site: 's', begun: 1 },
        x: { has: true },
      }),
      { outside: false, by: 'a', peers: ['a', 'c'], fetchers: 1 },
    ],
    [
      'who began long before goes on, whatever its name',
      told('b', { a: { site: 's', begun: 2 }, b: { site: 's', begun: 30, progressed: 1 } }),
      { outside: true, by: undefined, peers: ['a'], fetchers: 1 },
    ],
    [
      'one that gets nothing lets another take over, and goes on trying',
      told('b', {
        a: { site: 's', begun: 2 * stalled, progressed: stalled },
        b: { site: 's', begun: 2 * stalled, progressed: 1 },
        c: { site: 's', begun: 2 * stalled, progressed: 1 },
      }),
      { outside: true, by: undefined, peers: ['a', 'c'], fetchers: 2 },
    ],
    [
      'nobody of a site fetches from outside what one there has',
      told('a', { a: { site: 's', begun: 1 }, b: { site: 's', has: true }, x: { has: true } }),
      { outside: false, by: undefined, peers: ['b'], fetchers: 1 },
    ],
    [
      'who gets nothing of its site for too long fetches from outside all the same',
      told('a', {
        a: { site: 's', begun: stalled, progressed: stalled },
        b: { site: 's', has: true },
        x: { has: true },
      }),
      { outside: true, by: undefined, peers: ['b', 'x'], fetchers: 1 },
    ],
    [
      'another site is told of by those who have it and who fetches for it',
      told('a', {
        a: { site: 's', begun: 1 },
        m: { site: 't', begun: 1 },
        n: { site: 't', begun: 1 },
        o: { site: 'u', has: true },
      }),
      { outside: true, by: undefined, peers: ['m', 'o'], fetchers: 2 },
    ],
  ];
  for (const [name, actual, expected] of cases) assert.deepEqual(actual, expected, name);
});

test('of very many each is told of fifty, and each is told of as often as any other', () => {
  const many = Object.fromEntries(
    Array.from({ length: 120 }, (_, at) => [`edge${String(at).padStart(3, '0')}`, { begun: 1 }]),
  );
  const times = new Map<string, number>();
  for (const name of Object.keys(many)) {
    const { peers } = told(name, many);
    assert.equal(peers.length, 50);
    assert.ok(!peers.includes(name));
    for (const peer of peers) times.set(peer ?? '', (times.get(peer ?? '') ?? 0) + 1);
  }
  assert.deepEqual(new Set(times.values()), new Set([50]));
});

test('who shares the cap of a site: those that fetch from outside', () => {
  const sharers = (asker: string, given: Readonly<Record<string, Given>>): number => {
    const edges = edgesOf(given);
    return rateSharers(edges.find(({ name }) => name === asker) as SwarmEdge, edges, NOW_MS);
  };
  const site = { a: { site: 's', begun: 1 }, b: { site: 's', begun: 1 }, x: { begun: 1 } } as const;
  assert.equal(sharers('a', site), 1);
  assert.equal(sharers('b', site), 1);
  assert.equal(sharers('x', site), 1);
  assert.equal(sharers('a', { ...site, b: { site: 's', begun: stalled, progressed: stalled } }), 2);
  assert.equal(sharers('a', { a: { site: 's', has: true }, b: { site: 's', has: true } }), 1);
});
