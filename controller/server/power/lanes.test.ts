import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Lanes } from './lanes.ts';

test('in a lane one after the other, and so many in all; one that fails holds up nobody', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 4 }),
      fc.array(
        fc.record({
          lane: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'),
          turns: fc.nat(4),
          fails: fc.boolean(),
        }),
        { maxLength: 30 },
      ),
      async (most, jobs) => {
        const lanes = new Lanes(most);
        const running: string[] = [];
        const order: number[] = [];
        let peak = 0;
        const outcomes = await Promise.allSettled(
          jobs.map(({ lane, turns, fails }, at) =>
            lanes.run(lane, async () => {
              assert.equal(running.includes(lane), false);
              running.push(lane);
              peak = Math.max(peak, running.length);
              for (let turn = 0; turn < turns; turn++) await Promise.resolve();
              running.splice(running.indexOf(lane), 1);
              order.push(at);
              if (fails) throw new Error('failed');
            }),
          ),
        );
        await lanes.idle();
        assert.ok(peak <= most);
        assert.equal(order.length, jobs.length);
        for (const lane of 'abcdef') {
          const own = order.filter((at) => jobs[at]?.lane === lane);
          assert.deepEqual(
            own,
            own.toSorted((a, b) => a - b),
          );
        }
        for (const [at, { status }] of outcomes.entries())
          assert.equal(status === 'rejected', jobs[at]?.fails);
      },
    ),
  );
});
