import assert from 'node:assert/strict';
import { afterEach, beforeEach, mock, test } from 'node:test';
import type { Garbage } from '@bootswarm/controller/contract';
import { pino } from 'pino';
import { collectDaily } from './garbage-daily.ts';

const NOTHING: Garbage = { releases: [], artefacts: [], uploads: [] };
const MINUTE_MS = 60_000;
const lines: { readonly msg: string; readonly bytes?: number; readonly releases?: string[] }[] = [];
const log = pino({}, { write: (line: string) => lines.push(JSON.parse(line)) });

beforeEach(() => {
  lines.length = 0;
  mock.timers.enable({ apis: ['setTimeout'] });
});

afterEach(() => mock.timers.reset());

/** Lets promises go on that wait for no timer. */
const turns = async (): Promise<void> => {
  for (let n = 0; n < 20; n++) await Promise.resolve();
};

test('garbage is collected soon after the start and then each day, also after a day that failed', async () => {
  let runs = 0;
  const stop = collectDaily(
    {
      collect: async () => {
        runs += 1;
        if (runs === 1) throw new Error('the disk is away');
        return { ...NOTHING, uploads: [{ sha256: 'a'.repeat(64), bytes: 7 }] };
      },
      survey: async () => ({ ...NOTHING, releases: [{ release: 'a/1/amd64', publishedAt: '' }] }),
    },
    log,
  );
  mock.timers.tick(9 * MINUTE_MS);
  assert.equal(runs, 0);
  mock.timers.tick(MINUTE_MS);
  await turns();
  assert.equal(runs, 1);
  mock.timers.tick(24 * 60 * MINUTE_MS);
  await turns();
  assert.equal(runs, 2);
  assert.deepEqual(
    lines.map(({ msg, bytes, releases }) => bytes ?? releases ?? msg),
    ['collecting garbage failed; it is tried again in a day', 7, ['a/1/amd64']],
  );
  await stop();
  mock.timers.tick(48 * 60 * MINUTE_MS);
  await turns();
  assert.equal(runs, 2);
});
