import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { BEFORE_REBOOT, BESIDE_LIVE, fetchingPeers, type Giving, isSpared, type Patience } from './spare.ts';

describe('the neighbours can do without a machine', () => {
  const cases: readonly (readonly [name: string, giving: Giving, patience: Patience, expected: boolean])[] = [
    ['it has just come', { fetching: 0, idleMs: 9_000, waitedMs: 0 }, BEFORE_REBOOT, false],
    ['nobody fetches', { fetching: 0, idleMs: 3_000, waitedMs: 3_000 }, BEFORE_REBOOT, true],
    [
      'one fetches, and took something',
      { fetching: 1, idleMs: 3_000, waitedMs: 60_000 },
      BEFORE_REBOOT,
      false,
    ],
    [
      'one fetches, but nothing of it',
      { fetching: 1, idleMs: 20_000, waitedMs: 60_000 },
      BEFORE_REBOOT,
      true,
    ],
    ['it has waited long enough', { fetching: 9, idleMs: 0, waitedMs: 600_000 }, BEFORE_REBOOT, true],
    [
      'it lives, and nobody fetches now',
      { fetching: 0, idleMs: 60_000, waitedMs: 60_000 },
      BESIDE_LIVE,
      false,
    ],
    ['it lives, and nobody fetches', { fetching: 0, idleMs: 600_000, waitedMs: 600_000 }, BESIDE_LIVE, true],
  ];
  for (const [name, giving, patience, expected] of cases)
    test(`${name}: ${expected}`, () => assert.equal(isSpared(giving, patience), expected));

  test('who fetches is no edge, and lacks something', () => {
    const peer = { isEdge: false, pieces: 3 };
    const peers = [peer, { ...peer, pieces: 4 }, { ...peer, isEdge: true }] as never;
    assert.equal(fetchingPeers({ peers, pieceCount: 4 }), 1);
  });
});
