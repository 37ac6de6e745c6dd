import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { JournalRecord } from '@bootswarm/controller/contract';
import { open, type RootDatabase } from 'lmdb';
import { MAC } from '../decide/testing/world.ts';
import { Journal } from './journal.ts';
import type { Unnumbered } from './journal-repeats.ts';

const AT = '2026-01-01T00:00:00.000Z';

const numbered = (from: number, count: number): Unnumbered[] =>
  Array.from({ length: count }, (_, n) => ({
    at: AT,
    stage: 'offer',
    mac: MAC,
    detail: `record ${from + n}`,
  }));

interface Bench {
  readonly root: RootDatabase;
  readonly journal: () => Journal;
  readonly losses: unknown[];
  /** Closes the journal and makes it anew. */
  readonly reopen: () => Promise<void>;
}

async function withJournal(recordsMost: number, run: (bench: Bench) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'bootswarm-journal-'));
  const losses: unknown[] = [];
  const root = open({ path: folder, overlappingSync: false });
  const facts = root.openDB<unknown, string>({ name: 'facts', encoding: 'json' });
  const make = (): Journal =>
    new Journal({
      root,
      facts,
      requireRoom: () => {},
      onLoss: (error) => losses.push(error),
      recordsMost,
      clock: () => 0,
    });
  let journal = make();
  try {
    await run({
      root,
      losses,
      journal: () => journal,
      reopen: async () => {
        journal.close();
        await root.flushed;
        journal = make();
      },
    });
  } finally {
    journal.close();
    await root.close();
    await rm(folder, { recursive: true });
  }
}

/** All that is kept, once it holds `last`. */
async function until(journal: Journal, last: string): Promise<readonly JournalRecord[]> {
  for (let tries = 0; tries < 400; tries++) {
    const records = journal.oldest(1_000_000);
    if (records.at(-1)?.detail === last) return records;
    await sleep(5);
  }
  assert.fail(`${last} was not kept: ${JSON.stringify(journal.oldest(1_000_000).at(-1))}`);
}

describe('the journal of an edge', () => {
  test('keeps what comes together in order, whatever its number', () =>
    withJournal(10_000, async ({ journal }) => {
      journal().add(numbered(1, 1234));
      journal().add(numbered(1235, 1));
      const records = await until(journal(), 'record 1235');
      assert.deepEqual(
        records.map(({ seq, detail }) => `record ${seq}` === detail),
        Array(1235).fill(true),
      );
      assert.equal(journal().oldest(700).length, 500, 'whole chunks, at most as many as asked for');
    }));

  test('forgets up to a number in the midst of what came together', () =>
    withJournal(10_000, async ({ journal, reopen }) => {
      journal().add(numbered(1, 30));
      await until(journal(), 'record 30');
      await journal().forget(17);
      assert.deepEqual([journal().oldest(1)[0]?.seq, journal().oldest(100).length], [18, 13]);
      await journal().forget(30);
      await reopen();
      journal().add(numbered(31, 1));
      assert.deepEqual(
        (await until(journal(), 'record 31')).map(({ seq }) => seq),
        [31],
      );
    }));

  test('is bounded: the oldest go, and how many is told when the controller is back', () =>
    withJournal(2000, async ({ journal, reopen }) => {
      for (let from = 1; from <= 5000; from += 100) {
        journal().add(numbered(from, 100));
        await until(journal(), `record ${from + 99}`);
      }
      await reopen();
      const kept = journal().oldest(1_000_000);
      assert.equal(kept.length, 2000);
      assert.equal(kept[0]?.seq, 3001);
      await journal().forget(5000);
      const [alarm, ...others] = await until(
        journal(),
        '3000 records are lost: the journal was full while the controller was away',
      );
      assert.deepEqual([alarm?.stage, alarm?.seq, alarm?.mac, others], ['alarm', 5001, undefined, []]);
      await journal().forget(5001);
      assert.deepEqual(journal().oldest(10), [], 'and told once');
    }));

  test('reads what an earlier version wrote, one record under each number', () =>
    withJournal(2000, async ({ journal, root, reopen }) => {
      const old = root.openDB<JournalRecord, number>({ name: 'journal', encoding: 'json' });
      for (const seq of [7, 8, 9])
        await old.put(seq, { seq, at: AT, stage: 'offer', mac: MAC, detail: `old ${seq}` });
      await reopen();
      journal().add(numbered(1, 1));
      const records = await until(journal(), 'record 1');
      assert.deepEqual(
        records.map(({ seq, detail }) => `${seq} ${detail}`),
        ['7 old 7', '8 old 8', '9 old 9', '10 record 1'],
      );
      await journal().forget(8);
      assert.deepEqual(
        journal()
          .oldest(10)
          .map(({ seq }) => seq),
        [9, 10],
      );
    }));

  test('counts what repeats, and writes the count before it closes', () =>
    withJournal(2000, async ({ journal, reopen }) => {
      const [record] = numbered(1, 1) as [Unnumbered];
      assert.deepEqual(journal().add([record, record]), [record]);
      assert.deepEqual(journal().add([record]), []);
      await until(journal(), 'record 1');
      await reopen();
      assert.deepEqual(
        journal()
          .oldest(10)
          .map(({ seq, times }) => [seq, times]),
        [
          [1, undefined],
          [2, 2],
        ],
      );
    }));
});
