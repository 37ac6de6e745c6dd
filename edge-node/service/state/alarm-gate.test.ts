import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Alarm } from '../decide/answer.ts';
import { AlarmGate } from './alarm-gate.ts';

const NOW_MS = Date.UTC(2026, 0, 1);
const alarm = (facts: Partial<Alarm> = {}): Alarm => ({
  at: new Date(NOW_MS).toISOString(),
  stage: 'alarm',
  segment: 'seg',
  cause: 'rogue_server',
  address: '10.99.0.66',
  detail: '',
  ...facts,
});

test('the same alarm passes once a minute, another at once', () => {
  const gate = new AlarmGate();
  assert.equal(gate.opens(alarm(), NOW_MS), true);
  assert.equal(gate.opens(alarm(), NOW_MS + 59_999), false);
  assert.equal(gate.opens(alarm({ address: '10.99.0.67' }), NOW_MS), true);
  assert.equal(gate.opens(alarm({ segment: 'other' }), NOW_MS), true);
  assert.equal(gate.opens(alarm(), NOW_MS + 60_000), true);
});

test('forged servers fill no journal, and hide no other kind of alarm', () => {
  const gate = new AlarmGate();
  const forged = Array.from({ length: 5000 }, (_, at) => alarm({ address: `10.0.${at >> 8}.${at & 255}` }));
  assert.equal(forged.filter((each) => gate.opens(each, NOW_MS)).length, 20);
  assert.equal(gate.opens(alarm({ cause: 'pool_exhausted' }), NOW_MS), true);
});

test('a clock that is set back silences nothing', () => {
  const gate = new AlarmGate();
  gate.opens(alarm(), NOW_MS);
  assert.equal(gate.opens(alarm(), NOW_MS - 365 * 86_400_000), true);
});
