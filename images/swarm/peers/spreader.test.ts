import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PieceSet } from './piece-set.ts';
import { Spreader } from './spreader.ts';

const NOTHING = new PieceSet(12);
const makeSpreader = (): Spreader => {
  let turn = 0;
  return new Spreader(12, () => {
    turn += 7;
    return (turn % 12) / 12;
  });
};

test('each peer is shown as many as the window holds, and no two the same while there are others', () => {
  const spreader = makeSpreader();
  const shown = [1, 2, 3].flatMap((key) => spreader.add(key, NOTHING, 4));
  assert.equal(shown.length, 12);
  assert.equal(new Set(shown).size, 12);
});

test('a peer that got what it was shown is shown the next', () => {
  const spreader = makeSpreader();
  const [first = 0, second = 0] = spreader.add(1, NOTHING, 2);
  const next = spreader.onHave(1, first, 2);
  assert.equal(next.length, 1);
  assert.ok(!next.includes(first) && !next.includes(second));
});

test('a piece that it got elsewhere takes no room in its window', () => {
  const spreader = makeSpreader();
  const shown = spreader.add(1, NOTHING, 2);
  const elsewhere = [...NOTHING.bits.keys(), 2, 3, 4, 5].find((index) => !shown.includes(index)) as number;
  assert.deepEqual(spreader.onHave(1, elsewhere, 2), []);
});

test('what another has is shown last, as soon as there is nothing else', () => {
  const spreader = makeSpreader();
  const [first = [], ...others] = [1, 2, 3, 4].map((key) => spreader.add(key, NOTHING, 3));
  assert.equal(new Set([...first, ...others.flat()]).size, 12);
  const later = first.map((index) => spreader.onHave(1, index, 3));
  assert.deepEqual(
    later.map(({ length }) => length),
    [1, 1, 1],
  );
  assert.ok(later.flat().every((index) => others.flat().includes(index)));
});

for (const { held, shown } of [
  { held: 7, shown: 4 },
  { held: 8, shown: 4 },
  { held: 11, shown: 1 },
])
  test(`of 12 that all have, a peer with ${held} and a window of 4 is shown ${shown}`, () => {
    const spreader = makeSpreader();
    spreader.add(1, PieceSet.whole(12), 4);
    const has = new PieceSet(12);
    for (let index = 0; index < held; index++) has.add(index);
    assert.equal(spreader.add(2, has, 4).length, shown);
  });

test('what only a peer that left had is shown first again', () => {
  const spreader = makeSpreader();
  const first = spreader.add(1, NOTHING, 6);
  spreader.add(2, NOTHING, 6);
  spreader.remove(1);
  assert.deepEqual(spreader.add(3, NOTHING, 6).toSorted(), first.toSorted());
});

test('nothing is shown of what it has, and nothing to one that has all', () => {
  const spreader = makeSpreader();
  const has = new PieceSet(12);
  has.add(3);
  assert.ok(!spreader.add(1, has, 12).includes(3));
  assert.deepEqual(spreader.add(2, PieceSet.whole(12), 12), []);
});

test('a window that grew is filled when a piece comes', () => {
  const spreader = makeSpreader();
  const [first = 0] = spreader.add(1, NOTHING, 2);
  assert.equal(spreader.onHave(1, first, 5).length, 4);
});

test('sparingly, what one was shown is shown to nobody else until that one leaves it or is gone', () => {
  let turn = 0;
  const spreader = new Spreader(
    12,
    () => {
      turn += 7;
      return (turn % 12) / 12;
    },
    0,
  );
  const first = spreader.add(1, NOTHING, 8);
  const second = spreader.add(2, NOTHING, 8);
  assert.deepEqual([first.length, second.length], [8, 4]);
  assert.deepEqual(spreader.add(3, NOTHING, 8), []);
  const [got = 0, ...left] = first;
  spreader.onHave(1, got, 8);
  spreader.giveUp(1);
  assert.deepEqual(new Set(spreader.refill(3, 8)), new Set(left));
  // It comes all the same, counts again, and is not counted off twice when that one is gone.
  const [late = 0] = left;
  spreader.onHave(1, late, 8);
  spreader.remove(3);
  assert.ok(!spreader.refill(2, 8).includes(late));
  spreader.remove(1);
  const fourth = spreader.add(4, NOTHING, 8);
  assert.ok(fourth.includes(late));
});

test('what a peer gave up counts for nobody when that one is gone', () => {
  const spreader = new Spreader(12, () => 0, 0);
  spreader.add(1, NOTHING, 12);
  spreader.giveUp(1);
  spreader.remove(1);
  assert.equal(spreader.add(2, NOTHING, 12).length, 12);
});
