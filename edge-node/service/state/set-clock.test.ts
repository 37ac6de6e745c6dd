import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SetClock } from './set-clock.ts';

const YEARS_MS = 20 * 365 * 24 * 3_600_000;

test('a clock that is set by years is told once, either way', () => {
  const clock = new SetClock(1_000, 0);
  assert.equal(clock.setBy(2_000, 1_000), 0);
  assert.equal(clock.setBy(3_000 + YEARS_MS, 2_000), YEARS_MS);
  assert.equal(clock.setBy(4_000 + YEARS_MS, 3_000), 0);
  assert.equal(clock.setBy(5_000, 4_000), -YEARS_MS);
});

test('what keeping time takes is no setting, however often', () => {
  const clock = new SetClock(0, 0);
  let wallMs = 0;
  for (let steadyMs = 1_000; steadyMs < 100_000; steadyMs += 1_000) {
    wallMs += 1_500;
    assert.equal(clock.setBy(wallMs, steadyMs), 0);
  }
});
