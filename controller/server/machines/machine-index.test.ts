import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Machine } from '@bootswarm/controller/contract';
import fc from 'fast-check';
import { MemoryStore } from '../store/memory-store.ts';
import type { Entry, Page } from '../store/state-store.ts';
import { MachineIndex } from './machine-index.ts';

/** A store that counts how often machines are read. */
class CountingStore extends MemoryStore {
  lists = 0;
  gets = 0;
  /** As one whose other users it does not hear of. */
  isDeaf = false;

  override get(key: string): Promise<Entry | undefined> {
    this.gets += 1;
    return super.get(key);
  }

  override list(prefix: string, page?: Page): Promise<readonly Entry[]> {
    this.lists += 1;
    return super.list(prefix, page);
  }

  override async changesSince(revision: number): Promise<ReadonlySet<string> | undefined> {
    return this.isDeaf ? undefined : super.changesSince(revision);
  }
}

const machineOf = (n: number, more: Partial<Machine> = {}): Record<string, Machine> => {
  const id = `m-${String(n).padStart(5, '0')}`;
  return { [`machines/${id}`]: { id, macs: ['52:54:00:00:00:01'], ...more } };
};
const ids = (machines: readonly Machine[]): number[] => machines.map(({ id }) => Number(id.slice(2)));

describe('the index', () => {
  test('gives pages of what a selector means, in the order of ids', async () => {
    const store = new MemoryStore();
    for (const n of [5, 1, 9, 3, 7])
      await store.commit({ put: machineOf(n, { class: n > 4 ? 'big' : 'small' }) });
    const index = new MachineIndex(store);
    const page = async (cursor?: string) => index.find({ match: 'class=big', limit: 2, cursor });
    assert.deepEqual(ids(await page()), [5, 7]);
    assert.deepEqual(ids(await page('m-00007')), [9]);
    assert.deepEqual(ids(await index.find({})), [1, 3, 5, 7, 9]);
  });

  test('reads what changed, and nothing else', async () => {
    const store = new CountingStore();
    for (let n = 0; n < 50; n++) await store.commit({ put: machineOf(n) });
    const index = new MachineIndex(store);
    await index.all();
    const { lists } = store;
    store.gets = 0;
    await store.commit({ put: { ...machineOf(70), unrelated: 1 } });
    await store.commit({ put: machineOf(60), remove: ['machines/m-00003'] });
    const found = ids(await index.all());
    assert.deepEqual([found.length, found.at(-2), found.at(-1), found.includes(3)], [51, 60, 70, false]);
    await index.all();
    assert.deepEqual([store.lists, store.gets], [lists, 3]);
  });

  test('reads all again where the store does not know what changed', async () => {
    const store = new CountingStore();
    await store.commit({ put: machineOf(1) });
    const index = new MachineIndex(store);
    await index.all();
    store.isDeaf = true;
    await store.commit({ put: machineOf(2), remove: ['machines/m-00001'] });
    assert.deepEqual(ids(await index.all()), [2]);
  });

  test('that could not be read says so, and reads the next time', async () => {
    const store = new CountingStore();
    const index = new MachineIndex(store);
    await store.commit({ put: { 'machines/m-1': { id: 'm-1', macs: [], bad: 1 } } });
    await assert.rejects(index.all());
    await store.commit({ remove: ['machines/m-1'], put: machineOf(1) });
    assert.deepEqual(ids(await index.all()), [1]);
  });

  test('holds whatever the store held when it was asked, or later, however reads and commits fall', async () => {
    const step = fc.record({
      put: fc.uniqueArray(fc.nat(6)),
      remove: fc.uniqueArray(fc.nat(6)),
      look: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.scheduler(),
        fc.array(step, { minLength: 1, maxLength: 10 }),
        async (scheduler, steps) => {
          const store = new MemoryStore();
          const slow = new Proxy(store, {
            get: (target, key) => {
              const member = Reflect.get(target, key);
              if (typeof member !== 'function') return member;
              const bound = member.bind(target) as () => Promise<unknown>;
              return key === 'get' || key === 'list' || key === 'revision'
                ? scheduler.scheduleFunction(bound)
                : bound;
            },
          });
          const index = new MachineIndex(slow);
          const looks: Promise<void>[] = [];
          for (const [at, { put, remove, look }] of steps.entries()) {
            const marked = put.map((n) => machineOf(n, { segment: `s${at}` }));
            const gone = remove
              .filter((n) => !put.includes(n))
              .map((n) => Object.keys(machineOf(n))[0] ?? '');
            await store.commit({ put: Object.assign({}, ...marked), remove: gone });
            const least = put.map((n) => ({ n, at }));
            if (!look) continue;
            looks.push(
              index.all().then((machines) => {
                for (const { n, at: since } of least) {
                  const found = machines.find(({ id }) => id === `m-0000${n}`);
                  const isNewer = found !== undefined && Number(found.segment?.slice(1)) >= since;
                  const isGoneLater = steps.slice(since + 1).some((later) => later.remove.includes(n));
                  assert.ok(
                    isNewer || (found === undefined && isGoneLater),
                    `machine ${n} is older than it was`,
                  );
                }
              }),
            );
          }
          await scheduler.waitFor(Promise.all(looks));
          const held = (await store.list('machines/')).map(({ value }) => value);
          assert.deepEqual(await scheduler.waitFor(index.all()), held);
        },
      ),
      { numRuns: 150 },
    );
  });
});
