import assert from 'node:assert/strict';
import { mkdir, mkdtempDisposable, readdir, readFile, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { BuildCache } from './cache.ts';

/** The number that no process has: above the most that Linux counts to. */
const NO_PROCESS = 4_194_305;

async function cacheIn(mostBytes?: number) {
  const folder = await mkdtempDisposable(join(tmpdir(), 'bootswarm-cache-'));
  const cache = new BuildCache(folder.path, mostBytes);
  return {
    path: folder.path,
    cache,
    store: (key: string, bytes = 100_000) =>
      cache.store('usr', key, 'tiny', (data) => writeFile(data, Buffer.alloc(bytes, key))),
    names: async () => (await readdir(folder.path)).sort(),
    [Symbol.asyncDispose]: () => folder.remove(),
  };
}

test('what was stored is there, and listed', async () => {
  await using lab = await cacheIn();
  assert.equal(await lab.store('a'), true);
  await using use = await lab.cache.use('usr', 'a');
  assert.equal((await readFile(use?.data ?? '')).length, 100_000);
  assert.equal(await lab.cache.use('usr', 'b'), undefined);
  assert.equal(await lab.cache.use('base', 'a'), undefined);
  const [entry] = await lab.cache.list();
  assert.equal(entry?.label, 'tiny');
  assert.ok(entry.bytes >= 100_000);
});

test('a filling that fails leaves nothing, and what fails it is told', async () => {
  await using lab = await cacheIn();
  const fill = async (data: string) => {
    await writeFile(data, 'half');
    throw new Error('no');
  };
  await assert.rejects(lab.cache.store('usr', 'a', 'tiny', fill), /no/);
  assert.deepEqual(await lab.names(), []);
});

for (const code of ['ENOSPC', 'disk_full', 'EROFS'])
  test(`a cache that cannot be written (${code}) is no failure of the build`, async () => {
    await using lab = await cacheIn();
    const fill = () => Promise.reject(Object.assign(new Error('full'), { code }));
    assert.equal(await lab.cache.store('usr', 'a', 'tiny', fill), false);
    assert.deepEqual(await lab.names(), []);
  });

test('the second of two that store one key finds it there', async () => {
  await using lab = await cacheIn();
  await lab.store('a');
  assert.equal(await lab.store('a'), true);
  assert.deepEqual(await lab.names(), ['usr-a']);
});

test('those unused for the longest go, but none in use', async () => {
  await using lab = await cacheIn(250_000);
  for (const key of ['a', 'b', 'c', 'd']) {
    await lab.store(key);
    const time = new Date(`2020-01-01T00:00:0${'abcd'.indexOf(key)}Z`);
    await utimes(join(lab.path, `usr-${key}`, 'entry.json'), time, time);
  }
  const inUse = await lab.cache.use('usr', 'b');
  const old = new Date('2019-01-01T00:00:00Z');
  await utimes(join(lab.path, 'usr-b', 'entry.json'), old, old);
  await lab.cache.trim();
  assert.deepEqual(await lab.names(), ['usr-b', 'usr-c', 'usr-d']);
  await inUse?.[Symbol.asyncDispose]();
  await lab.cache.trim();
  assert.deepEqual(await lab.names(), ['usr-c', 'usr-d']);
});

test('what a killed build left is swept; what a running one makes stays', async () => {
  await using lab = await cacheIn();
  const making = [`.making-${NO_PROCESS}-x`, `.making-${process.pid}-x`];
  for (const name of making) await mkdir(join(lab.path, name));
  await lab.cache.trim();
  assert.deepEqual(await lab.names(), [making[1]]);
});

test('a mark of use that a killed build left keeps nothing', async () => {
  await using lab = await cacheIn();
  await lab.store('a');
  await writeFile(join(lab.path, 'usr-a', `in-use-${NO_PROCESS}-x`), '');
  await lab.cache.clean();
  assert.deepEqual(await lab.names(), []);
});
