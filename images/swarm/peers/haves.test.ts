import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Haves } from './haves.ts';

const KIB = 1024;
const HAVE = (index: number): number[] => [0, 0, 0, 5, 4, 0, 0, 0, index];

function hearer({ isEdge = false, isWhole = false } = {}) {
  const heard: number[][] = [];
  const send = (bytes: Uint8Array): void => void heard.push([...bytes]);
  return { isEdge, pieces: { isWhole }, link: { send }, heard };
}

function neighbours(count: number) {
  return Array.from({ length: count }, () => hearer());
}

test('an edge is told of each piece at once, neighbours of the first, and then of several together', () => {
  const [edge, ...others] = [hearer({ isEdge: true }), ...neighbours(4)] as const;
  const haves = new Haves(new Map([edge, ...others].entries()), 16 * KIB);
  for (const index of [1, 2, 3]) haves.add(index);
  assert.deepEqual(edge.heard, [HAVE(1), HAVE(2), HAVE(3)]);
  for (const { heard } of others) assert.deepEqual(heard, [HAVE(1), [...HAVE(2), ...HAVE(3)]]);
  haves.stop();
});

test('of large pieces neighbours are told one by one', () => {
  const others = neighbours(30);
  const haves = new Haves(new Map(others.entries()), 1024 * KIB);
  for (const index of [1, 2]) haves.add(index);
  for (const { heard } of others) assert.deepEqual(heard, [HAVE(1), HAVE(2)]);
});

test('nothing is kept from them for longer than half a second', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const others = neighbours(30);
  const haves = new Haves(new Map(others.entries()), 16 * KIB);
  for (const index of [1, 2, 3]) haves.add(index);
  t.mock.timers.tick(500);
  for (const { heard } of others) assert.deepEqual(heard, [HAVE(1), [...HAVE(2), ...HAVE(3)]]);
  haves.add(4);
  haves.stop();
  t.mock.timers.tick(500);
  for (const { heard } of others) assert.equal(heard.length, 2, 'it was told after the end');
});

test('a neighbour that has everything is told of nothing', () => {
  const whole = hearer({ isWhole: true });
  new Haves(new Map([[0, whole]]), 16 * KIB).add(1);
  assert.deepEqual(whole.heard, []);
});
