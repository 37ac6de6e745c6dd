import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Haves } from './haves.ts';

const HAVE = (index: number): number[] => [0, 0, 0, 5, 4, 0, 0, 0, index];

function hearer({ isEdge = false, isWhole = false } = {}) {
  const heard: number[][] = [];
  const send = (bytes: Uint8Array): void => void heard.push([...bytes]);
  return { isEdge, pieces: { isWhole }, link: { send }, heard };
}

test('an edge is told of each piece at once, neighbours of what follows the first together', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const [edge, neighbour] = [hearer({ isEdge: true }), hearer()];
  const haves = new Haves(new Map([edge, neighbour].entries()));
  haves.add(1);
  assert.deepEqual(neighbour.heard, [HAVE(1)]);
  haves.add(2);
  haves.add(3);
  assert.deepEqual(edge.heard, [HAVE(1), HAVE(2), HAVE(3)]);
  assert.deepEqual(neighbour.heard, [HAVE(1)]);
  t.mock.timers.tick(10);
  assert.deepEqual(neighbour.heard.slice(1), [[...HAVE(2), ...HAVE(3)]]);
  t.mock.timers.tick(10);
  haves.add(4);
  assert.deepEqual(neighbour.heard.at(-1), HAVE(4), 'after a pause it is told at once again');
});

test('the more neighbours there are, the more is gathered for each', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const neighbours = Array.from({ length: 30 }, () => hearer());
  const haves = new Haves(new Map(neighbours.entries()));
  for (let index = 0; index < 100; index++) {
    haves.add(index);
    t.mock.timers.tick(10);
  }
  t.mock.timers.tick(1000);
  for (const { heard } of neighbours) {
    assert.ok(heard.length >= 10 && heard.length <= 12, `told ${heard.length} times in a second`);
    assert.deepEqual(heard.flat(), Array.from({ length: 100 }, (_, index) => HAVE(index)).flat());
  }
});

test('a neighbour that has everything is told of nothing', () => {
  const whole = hearer({ isWhole: true });
  const haves = new Haves(new Map([[0, whole]]));
  haves.add(1);
  haves.stop();
  assert.deepEqual(whole.heard, []);
});

test('nobody is told after it stopped', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const neighbour = hearer();
  const haves = new Haves(new Map([[0, neighbour]]));
  haves.add(1);
  haves.add(2);
  haves.stop();
  t.mock.timers.tick(1000);
  assert.deepEqual(neighbour.heard, [HAVE(1)]);
});
