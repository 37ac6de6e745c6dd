import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Case, casesNamed, measured, median, summarise } from './bench.ts';

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

test('cases and peers can be named; ours is always among them, and an unknown case names those that there are', async () => {
  const once = async (): Promise<Record<string, number>> => ({ rate: 1 });
  const subjects = { ours: once, nginx: once, aria2: once };
  const cases: readonly Case[] = [
    { name: '1', subjects },
    { name: '2', inTurn: async () => ({ ours: { rate: 1 }, nginx: { rate: 1 } }) },
  ];
  const subjectsOf = async (names: readonly string[], against: readonly string[]): Promise<string[]> => {
    const measuredOnes: string[] = [];
    for (const of of casesNamed(cases, names))
      for await (const [subject] of measured(of, against)) measuredOnes.push(`${of.name} ${subject}`);
    return measuredOnes;
  };
  assert.deepEqual(await subjectsOf([], []), ['1 ours', '1 nginx', '1 aria2', '2 ours', '2 nginx']);
  assert.deepEqual(await subjectsOf(['1'], ['aria2']), ['1 ours', '1 aria2']);
  assert.deepEqual(await subjectsOf(['2'], ['aria2']), ['2 ours']);
  assert.throws(() => casesNamed(cases, ['3']), /--case 3: its cases are 1, 2/);
});
