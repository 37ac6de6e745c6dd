import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MessageRates } from './message-rates.ts';

const NOW_MS = Date.UTC(2026, 0, 1);

test('more than a second allows is too much, and the next second begins anew', () => {
  const rates = new MessageRates();
  const times = (nowMs: number) => [1, 2, 3].map(() => rates.exceeds('mac', 2, nowMs));
  assert.deepEqual(times(NOW_MS), [false, false, true]);
  assert.equal(rates.exceeds('other', 2, NOW_MS), false);
  assert.deepEqual(times(NOW_MS + 1000), [false, false, true]);
});

test('a clock that is set back shuts nobody out', () => {
  const rates = new MessageRates();
  rates.exceeds('mac', 1, NOW_MS);
  assert.equal(rates.exceeds('mac', 1, NOW_MS - 86_400_000), false);
});
