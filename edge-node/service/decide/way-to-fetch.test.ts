import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isBetterByRanges } from './way-to-fetch.ts';

test('how an artefact is fetched, by what the controller sends in all', () => {
  const cases = [
    ['nothing is held: pieces, also for one edge', { byRanges: 100, byPieces: 100 }, 1, false],
    ['most is held, one edge: the ranges that it lacks', { byRanges: 9, byPieces: 30 }, 1, true],
    ['most is held, three edges: still less', { byRanges: 9, byPieces: 30 }, 3, true],
    ['most is held, four edges: each piece once is less', { byRanges: 9, byPieces: 30 }, 4, false],
    ['all is held', { byRanges: 0, byPieces: 0 }, 20, false],
  ] as const;
  for (const [name, lack, fetchers, expected] of cases)
    assert.equal(isBetterByRanges(lack, fetchers), expected, name);
});
