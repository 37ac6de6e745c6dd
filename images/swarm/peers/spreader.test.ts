import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PieceSet } from './piece-set.ts';
import { Spreader } from './spreader.ts';

const NOTHING = new PieceSet(12);
const spreaderOf = (window: number): Spreader => {
  let turn = 0;
  return new Spreader(12, window, () => {
    turn += 7;
    return (turn % 12) / 12;
  });
};

test('each peer is shown as many as the window holds, and no two the same while there are others', () => {
  const spreader = spreaderOf(4);
  const shown = [1, 2, 3].flatMap((key) => spreader.add(key, NOTHING));
  assert.equal(shown.length, 12);
  assert.equal(new Set(shown).size, 12);
});

test('a peer that got what it was shown is shown the next', () => {
  const spreader = spreaderOf(2);
  const [first = 0, second = 0] = spreader.add(1, NOTHING);
  const next = spreader.onHave(1, first);
  assert.equal(next.length, 1);
  assert.ok(!next.includes(first) && !next.includes(second));
});

test('a piece that it got elsewhere takes no room in its window', () => {
  const spreader = spreaderOf(2);
  const shown = spreader.add(1, NOTHING);
  const elsewhere = [...NOTHING.bits.keys(), 2, 3, 4, 5].find((index) => !shown.includes(index)) as number;
  assert.deepEqual(spreader.onHave(1, elsewhere), []);
});

test('what another has is shown last, a few at a time', () => {
  const spreader = spreaderOf(6);
  const first = spreader.add(1, NOTHING);
  const second = spreader.add(2, NOTHING);
  assert.deepEqual(
    first.filter((index) => second.includes(index)),
    [],
  );
  const [a, b, c, d, ...others] = second as [number, number, number, number, ...number[]];
  assert.deepEqual(
    [a, b, c, d].flatMap((index) => spreader.onHave(2, index)),
    [],
  );
  const later = others.flatMap((index) => spreader.onHave(2, index));
  assert.equal(later.length, 2);
  assert.ok(later.every((index) => first.includes(index)));
});

test('what only a peer that left had is shown first again', () => {
  const spreader = spreaderOf(6);
  const first = spreader.add(1, NOTHING);
  spreader.add(2, NOTHING);
  spreader.remove(1);
  assert.deepEqual(spreader.add(3, NOTHING).toSorted(), first.toSorted());
});

test('nothing is shown of what it has, and nothing to one that has all', () => {
  const spreader = spreaderOf(12);
  const has = new PieceSet(12);
  has.add(3);
  assert.ok(!spreader.add(1, has).includes(3));
  assert.deepEqual(spreader.add(2, PieceSet.whole(12)), []);
});

test('sparingly, what one was shown is shown to nobody else until that one leaves it or is gone', () => {
  let turn = 0;
  const spreader = new Spreader(
    12,
    8,
    () => {
      turn += 7;
      return (turn % 12) / 12;
    },
    0,
  );
  const first = spreader.add(1, NOTHING);
  const second = spreader.add(2, NOTHING);
  assert.deepEqual([first.length, second.length], [8, 4]);
  assert.deepEqual(spreader.add(3, NOTHING), []);
  const [got = 0, ...left] = first;
  spreader.onHave(1, got);
  spreader.giveUp(1);
  assert.deepEqual(new Set(spreader.refill(3)), new Set(left));
  // It comes all the same, counts again, and is not counted off twice when that one is gone.
  const [late = 0] = left;
  spreader.onHave(1, late);
  spreader.remove(3);
  assert.ok(!spreader.refill(2).includes(late));
  spreader.remove(1);
  const fourth = spreader.add(4, NOTHING);
  assert.ok(fourth.includes(late));
});

test('what a peer gave up counts for nobody when that one is gone', () => {
  const spreader = new Spreader(12, 12, () => 0, 0);
  spreader.add(1, NOTHING);
  spreader.giveUp(1);
  spreader.remove(1);
  assert.equal(spreader.add(2, NOTHING).length, 12);
});
