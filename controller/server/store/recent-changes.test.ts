import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { MemoryStore } from './memory-store.ts';
import { RecentChanges } from './recent-changes.ts';

const keys = (set: ReadonlySet<string> | undefined): string[] | undefined => set && [...set].toSorted();

test('keys of later commits are told, of puts and removals alike', () => {
  const changes = new RecentChanges(5);
  changes.note(6, { put: { a: 1 } });
  changes.note(7, { put: { b: 1 }, remove: ['c'] });
  assert.deepEqual(keys(changes.since(5, 7)), ['a', 'b', 'c']);
  assert.deepEqual(keys(changes.since(6, 7)), ['b', 'c']);
  assert.deepEqual(keys(changes.since(7, 7)), []);
});

test('where a commit of somebody else lies between, nobody knows', () => {
  const changes = new RecentChanges(5);
  changes.note(6, { put: { a: 1 } });
  assert.equal(changes.since(5, 7), undefined, 'the store is further than what was told');
  changes.note(8, { put: { b: 1 } });
  assert.equal(changes.since(6, 8), undefined);
  assert.deepEqual(keys(changes.since(7, 8)), ['b']);
  assert.equal(changes.since(4, 8), undefined);
});

test('a commit that failed gives its revision to another', () => {
  const changes = new RecentChanges(0);
  changes.note(1, { put: { a: 1 } });
  changes.note(2, { put: { failed: 1 } });
  changes.note(2, { put: { b: 1 } });
  assert.deepEqual(keys(changes.since(0, 2)), ['a', 'b']);
});

test('only so many keys are remembered', () => {
  const changes = new RecentChanges(0, undefined, 3);
  for (let n = 1; n <= 5; n++) changes.note(n, { put: { [`k${n}`]: n } });
  assert.equal(changes.since(1, 5), undefined);
  assert.deepEqual(keys(changes.since(2, 5)), ['k3', 'k4', 'k5']);
});

test('a copy that reads what changed is the store, whenever it looks', async () => {
  const key = fc.constantFrom('a', 'b', 'c', 'd');
  const step = fc.oneof(
    fc.record({
      put: fc.dictionary(key, fc.nat(9), { maxKeys: 2 }),
      remove: fc.array(key, { maxLength: 1 }),
    }),
    fc.constant('look' as const),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
      const store = new MemoryStore();
      const copy = new Map<string, unknown>();
      let revision = 0;
      for (const each of [...steps, 'look' as const]) {
        if (each !== 'look') {
          await store.commit(each);
          continue;
        }
        const now = await store.revision();
        const changed = await store.changesSince(revision);
        assert.ok(changed);
        for (const name of changed) {
          const entry = await store.get(name);
          if (entry) copy.set(name, entry.value);
          else copy.delete(name);
        }
        revision = now;
        const held = (await store.list('')).map(({ key: name, value }) => [name, value] as const);
        assert.deepEqual([...copy].toSorted(), held.toSorted());
      }
    }),
  );
});

test('keys that nobody follows are not remembered, and take no room', () => {
  const changes = new RecentChanges(0, (key) => !key.startsWith('records/'), 1);
  changes.note(1, { put: { a: 1, 'records/1': 1, 'records/2': 1 }, remove: ['records/0'] });
  assert.deepEqual(changes.since(0, 1), new Set(['a']));
});
