import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Release, Retention } from '@bootswarm/controller/contract';
import { releaseId } from '@bootswarm/images/format';
import { beyondRetention } from './retention.ts';

const now = new Date('2026-03-10T00:00:00.000Z');

/** `NAME/VERSION/ARCHITECTURE` that was published so many days ago. */
function release(id: string, daysAgo: number): Release {
  const [name = '', version = '', architecture = ''] = id.split('/');
  const publishedAt = new Date(now.getTime() - daysAgo * 86_400_000).toISOString();
  return { manifest: { name, version, architecture }, publishedAt } as Release;
}

const four = [
  release('a/1/amd64', 40),
  release('a/2/amd64', 30),
  release('a/3/amd64', 20),
  release('a/4/amd64', 1),
];

const cases: Readonly<Record<string, { releases: Release[]; retention: Retention; beyond: string[] }>> = {
  'without a rule every release stays': { releases: four, retention: { series: {} }, beyond: [] },
  'the newest so many stay': {
    releases: four,
    retention: { everywhere: { keep: 2 }, series: {} },
    beyond: ['a/1/amd64', 'a/2/amd64'],
  },
  'those that are young enough stay beside': {
    releases: four,
    retention: { everywhere: { keep: 1, days: 25 }, series: {} },
    beyond: ['a/1/amd64', 'a/2/amd64'],
  },
  'the newest stay however old they are': {
    releases: four.slice(0, 2),
    retention: { everywhere: { keep: 2, days: 1 }, series: {} },
    beyond: [],
  },
  "a series' own rule holds in place of that for all": {
    releases: [...four, release('b/1/amd64', 9), release('b/2/amd64', 8)],
    retention: { everywhere: { keep: 1 }, series: { a: { keep: 3 } } },
    beyond: ['a/1/amd64', 'b/1/amd64'],
  },
  'each architecture counts for itself': {
    releases: [release('a/1/amd64', 3), release('a/1/arm64', 2), release('a/2/arm64', 1)],
    retention: { everywhere: { keep: 1 }, series: {} },
    beyond: ['a/1/arm64'],
  },
  'of releases of one moment the later name is the newer': {
    releases: [release('a/2/amd64', 1), release('a/1/amd64', 1)],
    retention: { everywhere: { keep: 1 }, series: {} },
    beyond: ['a/1/amd64'],
  },
};

for (const [name, { releases, retention, beyond }] of Object.entries(cases))
  test(name, () => {
    const found = beyondRetention(releases, retention, now);
    assert.deepEqual(
      found.map(({ manifest }) => releaseId(manifest)),
      beyond,
    );
  });
