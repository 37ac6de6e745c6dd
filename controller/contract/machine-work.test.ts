import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { WorkProgress } from './install-order.ts';
import { workOutlooks } from './machine-work.ts';

const swarm = { peers: 1, fromNeighbours: 0, fromEdge: 0, fromHttp: 0, given: 0, uploadRate: 0, banned: [] };
const fetching = (doneBytes: number, downloadRate: number, detail = 'live a/1/amd64') => ({
  detail,
  progress: { step: 'fetch', doneBytes, totalBytes: 1000, swarm: { ...swarm, downloadRate } } as WorkProgress,
});

describe('how machines do beside each other', () => {
  test('seconds are what is left by the rate of now', () => {
    const lefts = workOutlooks([fetching(500, 50), fetching(1000, 0), fetching(10, 0)]);
    assert.deepEqual(
      lefts.map(({ secondsLeft }) => secondsLeft),
      [10, 0, Number.POSITIVE_INFINITY],
    );
  });

  test('where nobody knows how much there is, there is no time', () => {
    const [outlook] = workOutlooks([{ detail: 'x', progress: { step: 'unpack', doneBytes: 3 } }]);
    assert.deepEqual(outlook, { secondsLeft: undefined, isStraggler: false });
  });

  test('a straggler takes twice as long as most, and notably longer', () => {
    const most = [fetching(0, 100), fetching(0, 100), fetching(0, 100)];
    const isStraggler = (rate: number): boolean | undefined =>
      workOutlooks([...most, fetching(0, rate)]).at(-1)?.isStraggler;
    assert.deepEqual([isStraggler(10), isStraggler(45), isStraggler(0)], [true, false, true]);
  });

  test('only those that do the same are compared', () => {
    const others = [fetching(0, 100, 'live b/1/amd64'), fetching(0, 100, 'live b/1/amd64')];
    assert.equal(workOutlooks([...others, fetching(0, 10)]).at(-1)?.isStraggler, false);
  });
});
