import assert from 'node:assert/strict';
import { test } from 'node:test';
import { reportWhile } from './disk-work.ts';
import { Progress } from './install/progress.ts';

/** When reports begin, on a clock that only they and the waits between them move. @param callMs what each takes. */
async function startsOf(callMs: readonly number[]): Promise<readonly number[]> {
  const stop = new AbortController();
  const starts: number[] = [];
  let [clock, running] = [0, 0];
  const progress = new Progress(
    () => {},
    () => clock,
  );
  const reporting = reportWhile(progress, {
    signal: stop.signal,
    now: () => clock,
    wait: async (ms) => {
      clock += ms;
    },
    report: async () => {
      running += 1;
      assert.equal(running, 1, 'never two at once');
      clock += callMs[starts.push(clock) - 1] ?? 0;
      await Promise.resolve();
      running -= 1;
      if (starts.length === callMs.length) stop.abort();
    },
  });
  while (!stop.signal.aborted) await new Promise((resolve) => setImmediate(resolve));
  await reporting.end();
  return starts;
}

test('reports come at least once a second, whatever the calls take of it', async () => {
  assert.deepEqual(await startsOf([0, 300, 850, 0]), [0, 900, 1800, 2700]);
});

test('one that takes longer is answered before the next, which comes at once', async () => {
  assert.deepEqual(await startsOf([100, 5000, 0, 0]), [0, 900, 5900, 6800]);
});
