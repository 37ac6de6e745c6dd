import assert from 'node:assert/strict';
import { test } from 'node:test';
import { quietLog } from '../testing/quiet-log.ts';
import { forever, pause, pauseMs } from './forever.ts';

test('a step is repeated until the signal, through errors that are logged once for each kind', async () => {
  const stop = new AbortController();
  const { log, lines } = quietLog();
  const outcomes = ['ok', 'down', 'down', 'refused', 'down', 'ok', 'down', 'stop'];
  const failures: number[] = [];
  const step = async (): Promise<void> => {
    const outcome = outcomes.shift();
    if (outcome === 'stop') stop.abort();
    if (outcome !== 'ok') throw new Error(outcome);
  };
  await forever('polling', stop.signal, log, step, (count) => {
    failures.push(count);
    return 1;
  });
  assert.deepEqual(outcomes, []);
  assert.deepEqual(failures, [1, 2, 3, 4, 1]);
  assert.deepEqual(lines, [
    'warn failed; trying on',
    'warn failed; trying on',
    'warn failed; trying on',
    'info works again',
    'warn failed; trying on',
  ]);
});

test('pauses double up to 30 s, and half of each is chance', () => {
  const spans = [1, 2, 3, 7, 8, 1000].map((failures) => [pauseMs(failures, 0), pauseMs(failures, 1)]);
  assert.deepEqual(spans, [
    [250, 500],
    [500, 1000],
    [1000, 2000],
    [15_000, 30_000],
    [15_000, 30_000],
    [15_000, 30_000],
  ]);
});

test('a pause ends with its signal', async () => {
  const stop = new AbortController();
  const paused = pause(60_000, stop.signal);
  stop.abort();
  await paused;
  await pause(60_000, stop.signal);
});

test('nothing is done after the signal', async () => {
  let steps = 0;
  await forever('polling', AbortSignal.abort(), quietLog().log, async () => {
    steps += 1;
  });
  assert.equal(steps, 0);
});
