import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import {
  answered,
  type InstallProgress,
  mayHaveAnswers,
  nextInstallStep,
  unanswered,
} from './install-step.ts';

const NOW = 1_000_000;
const here = { address: '10.1.2.100', nowMs: NOW };
const armed = { epoch: 3 };
/** A start of epoch 3, 30 s ago. */
const started = (facts: Partial<InstallProgress> = {}): InstallProgress => ({
  epoch: 3,
  attempts: 1,
  attemptAtMs: NOW - 30_000,
  address: here.address,
  ...facts,
});

const cases: readonly {
  readonly what: string;
  readonly armed?: { readonly epoch: number; readonly spentEpoch?: number };
  readonly held: InstallProgress | undefined;
  readonly step: string;
}[] = [
  { what: 'a machine that was never installed starts', held: undefined, step: 'start 1' },
  { what: 'one that was cut off starts again', held: started(), step: 'start 2' },
  { what: 'and once more', held: started({ attempts: 2 }), step: 'start 3' },
  { what: 'and then no more', held: started({ attempts: 3 }), step: 'given up new' },
  { what: 'given up stays given up', held: started({ attempts: 3, ended: 'given up' }), step: 'given up' },
  {
    what: 'what asks again within 20 s is the same boot',
    held: started({ attemptAtMs: NOW - 19_999 }),
    step: 'start 1 same',
  },
  {
    what: 'also the last one',
    held: started({ attempts: 3, attemptAtMs: NOW - 19_999 }),
    step: 'start 3 same',
  },
  {
    what: 'but not from another address',
    held: started({ attemptAtMs: NOW - 1, address: '10.1.2.9' }),
    step: 'start 2',
  },
  {
    what: 'a clock that was set back begins no endless boot',
    held: started({ attemptAtMs: NOW + 1 }),
    step: 'start 2',
  },
  {
    what: 'with its answers a machine is done',
    held: started({ ended: 'answered', endedAtMs: NOW }),
    step: 'spent',
  },
  {
    what: 'an epoch that another edge used up is over',
    armed: { epoch: 3, spentEpoch: 3 },
    held: undefined,
    step: 'spent',
  },
  {
    what: 'also where it was begun here',
    armed: { epoch: 3, spentEpoch: 4 },
    held: started(),
    step: 'spent',
  },
  {
    what: 'one before it used up does not matter',
    armed: { epoch: 3, spentEpoch: 2 },
    held: undefined,
    step: 'start 1',
  },
  {
    what: 'armed anew a machine starts anew',
    armed: { epoch: 4 },
    held: started({ attempts: 3, ended: 'given up' }),
    step: 'start 1',
  },
  { what: 'an older epoch than was seen is no news', armed: { epoch: 2 }, held: started(), step: 'spent' },
];

describe('the next step of an installation', () => {
  for (const { what, armed: intent = armed, held, step } of cases)
    test(what, () => assert.equal(textOf(nextInstallStep(intent, held, here)), step));

  test('is to start at most three times an epoch, 20 s apart, whatever the clock says', () => {
    const arbitrary = fc.array(fc.integer({ min: -100_000, max: 100_000 }), { maxLength: 40 });
    fc.assert(
      fc.property(arbitrary, (steps) => {
        let held: InstallProgress | undefined;
        let nowMs = NOW;
        let starts = 0;
        for (const step of steps) {
          nowMs += step;
          const next = nextInstallStep(armed, held, { ...here, nowMs });
          if (next.kind === 'start' && next.isNew) starts += 1;
          if (next.kind !== 'spent') held = next.progress;
        }
        assert.ok(starts <= 3);
      }),
    );
  });
});

describe('answers', () => {
  const hour = 60 * 60_000;
  const done = started({ ended: 'answered', endedAtMs: NOW });
  const cases: readonly (readonly [
    what: string,
    held: InstallProgress | undefined,
    nowMs: number,
    may: boolean,
  ])[] = [
    ['are for an installer that was started', started(), NOW, true],
    ['are for nobody else', undefined, NOW, false],
    ['are not for another epoch', started({ epoch: 2 }), NOW, false],
    ['may be fetched again for an hour', done, NOW + hour - 1, true],
    ['and not after it', done, NOW + hour, false],
    ['may be fetched where the clock was set back', done, NOW - hour, true],
    ['are not for one that was given up', started({ ended: 'given up', endedAtMs: NOW }), NOW, false],
  ];
  for (const [what, held, nowMs, may] of cases)
    test(what, () => assert.equal(mayHaveAnswers(armed, held, nowMs), may));

  test('end an epoch when they leave, and do not where they broke off', () => {
    const left = answered(started(), NOW);
    assert.equal(nextInstallStep(armed, left, here).kind, 'spent');
    assert.equal(answered(left, NOW + 1).endedAtMs, NOW, 'the hour counts from the first time');
    assert.deepEqual(unanswered(left), started());
  });
});

function textOf(step: ReturnType<typeof nextInstallStep>): string {
  if (step.kind === 'start') return `start ${step.progress.attempts}${step.isNew ? '' : ' same'}`;
  return step.kind === 'given up' && step.isNew ? 'given up new' : step.kind;
}
