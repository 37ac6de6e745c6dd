import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { LmdbStore } from './lmdb-store.ts';
import { MemoryStore } from './memory-store.ts';
import { type Change, logCountKey, logKey, type StateStore } from './state-store.ts';

interface Driver {
  readonly name: string;
  /** `again` opens what the last call left behind, or undefined where nothing is kept. */
  open(folder: string): StateStore;
  readonly durable: boolean;
}

const drivers: readonly Driver[] = [
  { name: 'memory', open: () => new MemoryStore(), durable: false },
  { name: 'LMDB', open: (folder) => LmdbStore.open(folder), durable: true },
];

for (const driver of drivers) {
  describe(`StateStore conformance: ${driver.name}`, () => {
    const withStore = async (run: (store: StateStore, folder: string) => Promise<void>): Promise<void> => {
      const folder = await mkdtemp(join(tmpdir(), 'bootswarm-store-'));
      const store = driver.open(folder);
      try {
        await run(store, folder);
      } finally {
        await store.close();
        await rm(folder, { recursive: true });
      }
    };

    test('a value comes back with the revision that put it', () =>
      withStore(async (store) => {
        assert.equal(await store.get('a'), undefined);
        assert.deepEqual(await store.commit({ put: { a: { n: 1 } } }), { ok: true, revision: 1 });
        assert.deepEqual(await store.get('a'), { key: 'a', value: { n: 1 }, version: 1 });
        await store.commit({ put: { b: 2 } });
        assert.equal((await store.get('a'))?.version, 1);
        assert.equal(await store.revision(), 2);
      }));

    test('what is returned is a copy that nobody shares', () =>
      withStore(async (store) => {
        const value = { list: [1] };
        await store.commit({ put: { a: value } });
        value.list.push(2);
        assert.deepEqual((await store.get('a'))?.value, { list: [1] });
      }));

    test('a lost expectation changes nothing and names its key', () =>
      withStore(async (store) => {
        await store.commit({ put: { a: 1 } });
        const change: Change = { expect: { a: 7 }, put: { a: 2, b: 3 }, remove: ['a'] };
        assert.deepEqual(await store.commit(change), { ok: false, conflict: 'a' });
        assert.deepEqual(await store.commit({ expect: { a: 0 }, put: { a: 2 } }), {
          ok: false,
          conflict: 'a',
        });
        assert.equal((await store.get('a'))?.value, 1);
        assert.equal(await store.get('b'), undefined);
        assert.equal(await store.revision(), 1);
      }));

    test('of many who want to make one key, one wins', () =>
      withStore(async (store) => {
        const tries = Array.from({ length: 20 }, (_, n) => store.commit({ expect: { k: 0 }, put: { k: n } }));
        const outcomes = await Promise.all(tries);
        assert.equal(outcomes.filter((outcome) => outcome.ok).length, 1);
        assert.equal(
          (await store.get('k'))?.value,
          outcomes.findIndex((outcome) => outcome.ok),
        );
      }));

    test('a list holds the prefix alone, in order, by pages', () =>
      withStore(async (store) => {
        await store.commit({ put: { 'm/b': 1, 'm/a': 2, 'm/c': 3, l: 4, n: 5, 'm/': 6 } });
        const keys = async (page = {}): Promise<string[]> =>
          (await store.list('m/', page)).map((entry) => entry.key);
        assert.deepEqual(await keys(), ['m/', 'm/a', 'm/b', 'm/c']);
        assert.deepEqual(await keys({ limit: 2 }), ['m/', 'm/a']);
        assert.deepEqual(await keys({ after: 'm/a' }), ['m/b', 'm/c']);
        assert.deepEqual(await keys({ after: 'm/a', limit: 1 }), ['m/b']);
        assert.equal((await store.list('')).length, 6);
      }));

    test('a removed key is absent for an expectation', () =>
      withStore(async (store) => {
        await store.commit({ put: { a: 1 } });
        await store.commit({ remove: ['a', 'never-there'] });
        assert.equal(await store.get('a'), undefined);
        assert.equal((await store.commit({ expect: { a: 0 }, put: { a: 2 } })).ok, true);
      }));

    test('what changed since a revision is told by its keys', () =>
      withStore(async (store) => {
        await store.commit({ put: { a: 1, b: 1 } });
        const before = await store.revision();
        await store.commit({ put: { c: 1 } });
        await store.commit({ expect: { c: 0 }, put: { lost: 1 } });
        await store.commit({ put: { a: 2 }, remove: ['b'] });
        assert.deepEqual([...((await store.changesSince(before)) ?? [])].toSorted(), ['a', 'b', 'c']);
        assert.deepEqual([...((await store.changesSince(await store.revision())) ?? ['?'])], []);
      }));

    test('what is appended to a log is numbered without a gap, however many append at once', () =>
      withStore(async (store) => {
        const writers = Array.from({ length: 20 }, (_, n) =>
          store.commit({ put: { [`k${n}`]: n }, append: { log: 'log', values: [`${n}a`, `${n}b`] } }),
        );
        assert.ok((await Promise.all(writers)).every(({ ok }) => ok));
        await store.commit({ expect: { k0: 99 }, append: { log: 'log', values: ['lost'] } });
        await store.commit({ put: { other: 1 }, append: { log: 'log', values: [] } });
        const held = await store.list('log/');
        assert.deepEqual(
          held.map(({ key }) => key),
          Array.from({ length: 40 }, (_, index) => logKey('log', index + 1)),
        );
        // Both of one commit stand together, and have the version of what was put beside them.
        for (let at = 0; at < 40; at += 2) {
          const writer = String(held[at]?.value).slice(0, -1);
          assert.equal(held[at + 1]?.value, `${writer}b`);
          assert.equal(held[at]?.version, (await store.get(`k${writer}`))?.version);
        }
        assert.equal((await store.get(logCountKey('log')))?.value, 40);
      }));

    test('a log whose values were removed does not begin anew', () =>
      withStore(async (store) => {
        await store.commit({ append: { log: 'log', values: ['a', 'b'] } });
        await store.commit({ remove: [logKey('log', 1), logKey('log', 2)] });
        await store.commit({ append: { log: 'log', values: ['c'] } });
        const held = await store.list('log/');
        assert.deepEqual(
          held.map(({ key, value }) => [key, value]),
          [[logKey('log', 3), 'c']],
        );
      }));

    test('a watcher hears of a commit until it stops listening', () =>
      withStore(async (store) => {
        let heard = 0;
        const stop = store.watch(() => {
          heard += 1;
        });
        await store.commit({ put: { a: 1 } });
        await sleep(20);
        assert.equal(heard, 1);
        stop();
        await store.commit({ put: { a: 2 } });
        await sleep(20);
        assert.equal(heard, 1);
      }));

    if (driver.durable)
      test('everything is there after closing and opening again', () =>
        withStore(async (store, folder) => {
          await store.commit({ put: { a: 1, b: 2 } });
          await store.commit({ remove: ['b'] });
          await store.close();
          const again = driver.open(folder);
          assert.deepEqual(await again.list(''), [{ key: 'a', value: 1, version: 1 }]);
          assert.equal(
            await again.changesSince(0),
            undefined,
            'what another process changed nobody remembers',
          );
          assert.deepEqual(await again.commit({ put: { c: 1 } }), { ok: true, revision: 3 });
          assert.deepEqual([...((await again.changesSince(2)) ?? [])], ['c']);
          await again.close();
        }));
  });
}

test('LMDB and its memory twin answer any series of commits alike', async () => {
  const key = fc.constantFrom('a', 'a/b', 'a/c', 'b');
  const change = fc.record(
    {
      expect: fc.dictionary(key, fc.nat(6), { maxKeys: 2 }),
      put: fc.dictionary(key, fc.jsonValue(), { maxKeys: 3 }),
      remove: fc.array(key, { maxLength: 2 }),
    },
    { requiredKeys: [] },
  );
  await fc.assert(
    fc.asyncProperty(fc.array(change, { maxLength: 12 }), async (changes) => {
      const folder = await mkdtemp(join(tmpdir(), 'bootswarm-store-'));
      const stores = [new MemoryStore(), LmdbStore.open(folder)] as const;
      try {
        for (const each of changes) {
          const [twin, real] = await Promise.all(stores.map((store) => store.commit(each)));
          assert.deepEqual(real, twin);
        }
        const [twin, real] = await Promise.all(stores.map((store) => store.list('')));
        assert.deepEqual(real, twin);
      } finally {
        for (const store of stores) await store.close();
        await rm(folder, { recursive: true });
      }
    }),
    { numRuns: 25 },
  );
});
