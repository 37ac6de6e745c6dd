import assert from 'node:assert/strict';
import { test } from 'node:test';
import { median, summarise } from './bench.ts';

test('medians of odd and even counts', () => {
  assert.equal(median([3, 1, 2]), 2);
  assert.equal(median([4, 1, 3, 2]), 2.5);
});

test('a ratio is ours by the peer, and the worst case depends on what is better', () => {
  const sample = (name: string, subject: string, rate: number, cpu: number) => ({
    case: name,
    subject,
    measurement: { rate, cpu },
  });
  const { rows, ratios } = summarise({ name: 'b', better: { rate: 'more', cpu: 'less' } }, [
    ...[9, 10, 11].map((rate) => sample('small', 'ours', rate, 2)),
    ...[4, 5, 6].map((rate) => sample('small', 'peer', rate, 4)),
    ...[3, 3, 3].map((rate) => sample('large', 'ours', rate, 6)),
    ...[4, 4, 4].map((rate) => sample('large', 'peer', rate, 4)),
  ]);
  assert.deepEqual(ratios, {
    'small/rate.vs_peer': 2,
    'small/cpu.vs_peer': 0.5,
    'large/rate.vs_peer': 0.75,
    'large/cpu.vs_peer': 1.5,
    'rate.vs_peer': 0.75,
    'cpu.vs_peer': 1.5,
  });
  assert.deepEqual(
    rows.find((row) => row.case === 'small' && row.subject === 'peer' && row.metric === 'rate'),
    { case: 'small', subject: 'peer', metric: 'rate', value: 5 },
  );
});
