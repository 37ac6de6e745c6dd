import assert from 'node:assert/strict';
import { test } from 'node:test';
import { leaseWith } from '../decide/testing/world.ts';
import type { RoundNews } from './dhcp-round.ts';
import { NewsBatch } from './news-batch.ts';

const newsOf = (count: string, facts: Partial<RoundNews> = {}): RoundNews => ({
  counts: [count],
  journal: [],
  leases: [],
  commitMs: 1,
  ...facts,
});

function batch() {
  const posted: RoundNews[] = [];
  return { posted, news: new NewsBatch((each) => posted.push(each)) };
}

test('news waits for a quiet moment, and goes as one', () => {
  const { posted, news } = batch();
  news.add(newsOf('a'), 0);
  news.add(newsOf('b', { commitMs: 7 }), 1);
  news.flushIfDue(false, 2);
  assert.equal(posted.length, 0);
  news.flushIfDue(true, 3);
  assert.deepEqual(
    posted.map(({ counts, commitMs }) => [counts, commitMs]),
    [[['a', 'b'], 7]],
  );
  assert.ok(news.isEmpty);
});

test('where no moment is quiet it goes after a while, also when the clock is set back', () => {
  const { posted, news } = batch();
  news.add(newsOf('a'), 1000);
  news.flushIfDue(false, 1019);
  assert.equal(posted.length, 0);
  news.flushIfDue(false, 1020);
  assert.equal(posted.length, 1);
  news.add(newsOf('b'), 1000);
  news.flushIfDue(false, 0);
  assert.equal(posted.length, 2);
});

test('leases go at once, in their order behind what came before, and so does a failure', () => {
  const { posted, news } = batch();
  news.add(newsOf('a'), 0);
  news.add(newsOf('b', { leases: [leaseWith()] }), 0);
  assert.deepEqual(
    posted.map(({ counts }) => counts),
    [['a', 'b']],
  );
  news.add(newsOf('c', { failure: 'ENOSPC' }), 0);
  assert.equal(posted.at(-1)?.failure, 'ENOSPC');
});
