import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { EdgeRecord } from './journal.ts';
import { standingAfter, type WorkStanding, workStory } from './work-standing.ts';

const at = '2026-01-01T00:00:00.000Z';
const later = '2026-01-01T01:00:00.000Z';
const record = (facts: Partial<EdgeRecord>): EdgeRecord => ({
  seq: 1,
  at,
  edge: 'edge1',
  stage: 'install',
  epoch: 2,
  detail: 'told',
  ...facts,
});
const standing = (...records: readonly Partial<EdgeRecord>[]): WorkStanding | undefined =>
  records.reduce<WorkStanding | undefined>((held, each) => standingAfter(held, record(each)), undefined);

const begun = {};
const done = { spentEpoch: 2 };
const failedOnce = { cause: 'install_failed' } as const;
const failedTwice = { cause: 'install_failed', spentEpoch: 2 } as const;
const up = { stage: 'first-boot' } as const;
const silent = { stage: 'first-boot', cause: 'no_first_boot' } as const;

describe('how an installation stands', () => {
  const intent = { kind: 'install', profile: 'web' } as const;
  const cases: readonly {
    readonly name: string;
    readonly records: readonly Partial<EdgeRecord>[];
    readonly state: string;
  }[] = [
    { name: 'nothing was heard', records: [], state: 'armed' },
    { name: 'an earlier epoch was done', records: [{ ...done, epoch: 1 }], state: 'armed' },
    { name: 'it was begun', records: [begun], state: 'installing' },
    { name: 'a try failed', records: [begun, failedOnce], state: 'installing install_failed' },
    { name: 'the next try was begun', records: [begun, failedOnce, begun], state: 'installing' },
    { name: 'both failed', records: [begun, failedOnce, begun, failedTwice], state: 'failed install_failed' },
    { name: 'it is done', records: [begun, done], state: 'installed' },
    { name: 'its system is up', records: [begun, done, up], state: 'active' },
    { name: 'its system is up and the end is told again', records: [begun, done, up, done], state: 'active' },
    { name: 'its system did not come up', records: [begun, done, silent], state: 'failed no_first_boot' },
    { name: 'it came up after all', records: [begun, done, silent, up], state: 'active' },
    { name: 'silence is told late', records: [begun, done, up, silent], state: 'active' },
    {
      name: 'something else was heard of it',
      records: [begun, done, { stage: 'lease' }],
      state: 'installed',
    },
    {
      name: 'an old edge tells of the epoch before',
      records: [begun, done, { ...failedTwice, epoch: 1 }],
      state: 'installed',
    },
    {
      name: 'a record has no epoch',
      records: [begun, { ...done, epoch: undefined as never }],
      state: 'installing',
    },
  ];
  for (const { name, records, state } of cases)
    test(`${name}: ${state}`, () => {
      const story = workStory({ intent, epoch: 2, work: standing(...records) });
      assert.equal([story?.state, story?.cause].filter(Boolean).join(' '), state);
    });

  test('of a machine that stays on its disk is told on', () => {
    const work = standing(begun, done, { ...up, at: later });
    assert.equal(workStory({ intent: { kind: 'local' }, epoch: 3, work })?.state, 'active');
    assert.equal(workStory({ work })?.since, later);
  });

  test('of a machine that boots something else is no news', () => {
    const work = standing(begun, done, up);
    const live = { kind: 'live', release: 'a/1/amd64' } as const;
    assert.equal(workStory({ intent: live, epoch: 3, work }), undefined);
    assert.equal(workStory({ intent: live, epoch: 3 }), undefined);
  });

  test('is a wipe where that was meant', () => {
    const wipe = { kind: 'wipe', method: 'auto', disks: 'all' } as const;
    const of = (...records: readonly Partial<EdgeRecord>[]): string | undefined =>
      workStory({
        intent: wipe,
        epoch: 2,
        work: standing(...records.map((each) => ({ ...each, stage: 'wipe' as const }))),
      })?.state;
    assert.deepEqual([of(), of(begun), of(begun, done)], ['armed', 'wiping', 'wiped']);
  });
});
