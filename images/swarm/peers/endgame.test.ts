import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Ending, isWorthDuplicating } from './endgame.ts';

const MIB = 1024 * 1024;
const AMID: Ending = { missingPieces: 20, pieceBytes: MIB, perSecond: 100 * MIB, sincePieceMs: 10 };

const CASES: readonly (readonly [string, Partial<Ending>, boolean])[] = [
  ['what takes 0.2 s is left to those that were asked', {}, false],
  ['what takes 0.1 s is not', { missingPieces: 10 }, true],
  ['the last two pieces are not, however slowly they come', { missingPieces: 2, perSecond: 1000 }, true],
  ['three that come slowly are', { missingPieces: 3, perSecond: 1000, sincePieceMs: 999 }, false],
  [
    'unless nothing was complete for a second',
    { missingPieces: 3, perSecond: 1000, sincePieceMs: 1000 },
    true,
  ],
];
for (const [name, facts, worth] of CASES)
  test(name, () => assert.equal(isWorthDuplicating({ ...AMID, ...facts }), worth));
