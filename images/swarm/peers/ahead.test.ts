import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mostAheadBytes, needsEdge, roomBytes, usualMs } from './ahead.ts';

const KIB = 1024;
const MIB = 1024 * KIB;

function neighbour({ askedBytes = 0, blockAtMs = 0, perSecond = 0, isEdge = false } = {}) {
  return { isEdge, askedBytes, blockAtMs, down: { perSecond } };
}

test('a peer is asked for two pieces, or what it sends in 0.3 s, and for 4 MiB at most', () => {
  const ahead = (perSecond: number, pieceBytes: number): number =>
    mostAheadBytes({ down: { perSecond }, blockBytes: MIB }, pieceBytes);
  assert.equal(ahead(0, 32 * KIB), 64 * KIB);
  assert.equal(ahead(1000 * KIB, 32 * KIB), 332 * KIB);
  assert.equal(ahead(0, MIB), 2 * MIB);
  assert.equal(ahead(1000 * MIB, MIB), 4 * MIB);
});

test('all neighbours together are asked for eight pieces, or what comes in half a second', () => {
  assert.equal(roomBytes([neighbour(), neighbour()], 32 * KIB, 0), 256 * KIB);
  const slow = [neighbour({ askedBytes: 200 * KIB }), neighbour({ askedBytes: 100 * KIB })];
  assert.equal(roomBytes(slow, 32 * KIB, 0), -44 * KIB);
  const fast = [neighbour({ perSecond: 2 * MIB, askedBytes: MIB }), neighbour({ perSecond: 2 * MIB })];
  assert.equal(roomBytes(fast, 32 * KIB, 0), MIB);
});

test('what an edge is asked for, and one that sent nothing for a second, takes no room', () => {
  const peers = [
    neighbour({ askedBytes: 100 * KIB, isEdge: true }),
    neighbour({ askedBytes: 100 * KIB, blockAtMs: 1000 }),
    neighbour({ askedBytes: 56 * KIB, blockAtMs: 1001 }),
  ];
  assert.equal(roomBytes(peers, 32 * KIB, 2000), 200 * KIB);
});

test('the edge gives what neighbours have while those do not fill the link, and the last of it', () => {
  const of = (perSecond: number, missingBytes: number, edgeIdleMs = 0): boolean =>
    needsEdge({ perSecond, bestPerSecond: MIB, missingBytes, edgeIdleMs });
  assert.equal(of(0.99 * MIB, 100 * MIB), true);
  assert.equal(of(MIB, 100 * MIB), false);
  assert.equal(of(MIB, 0.9 * MIB), true);
  assert.equal(of(MIB, 100 * MIB, 1001), true, 'it may have more to give than all neighbours');
});

test('what is asked for comes when all that was asked for before has come', () => {
  assert.equal(usualMs([neighbour({ askedBytes: MIB, perSecond: MIB }), neighbour({ perSecond: MIB })]), 500);
  assert.equal(usualMs([neighbour()]), 0);
  assert.equal(usualMs([neighbour({ askedBytes: 1 })]), Number.POSITIVE_INFINITY);
});
