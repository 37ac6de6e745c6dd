import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { problem } from '@bootswarm/controller/contract';
import type { Manifest } from '@bootswarm/images/format';
import { MemoryStore } from '../store/memory-store.ts';
import { sampleRelease } from '../testing/samples.ts';
import { MiniImages } from './mini.ts';
import { ReleaseUses } from './release-uses.ts';

describe('the mini image of an architecture', () => {
  let mini: MiniImages;
  let known: ReadonlyMap<string, Manifest>;

  beforeEach(async () => {
    const { manifest } = await sampleRelease();
    known = new Map<string, Manifest>([
      ['mini/1/amd64', { ...manifest, bootStyle: 'mini', architecture: 'amd64' }],
      ['mini/@stable/amd64', { ...manifest, bootStyle: 'mini', architecture: 'amd64' }],
      ['mini/1/arm64', { ...manifest, bootStyle: 'mini', architecture: 'arm64' }],
      ['minimal/1/amd64', manifest],
    ]);
    mini = new MiniImages({
      store: new MemoryStore(),
      hold: async (release) => {
        if (known.has(release)) return { [`held/${release}`]: true };
        throw problem('machine_release_unknown', { field: 'release', facts: { release } });
      },
      manifestOf: async (reference) => known.get(reference),
    });
  });

  test('is none at first, and each has its own', async () => {
    assert.deepEqual(await mini.show(), {});
    await mini.use('mini/1/amd64');
    assert.deepEqual(await mini.use('mini/1/arm64'), { amd64: 'mini/1/amd64', arm64: 'mini/1/arm64' });
    assert.deepEqual(await mini.use('mini/@stable/amd64'), {
      amd64: 'mini/@stable/amd64',
      arm64: 'mini/1/arm64',
    });
  });

  test('is a mini image that was published', async () => {
    await assert.rejects(mini.use('minimal/1/amd64'), { code: 'mini_not_mini' });
    await assert.rejects(mini.use('mini/2/amd64'), { code: 'machine_release_unknown' });
    assert.deepEqual(await mini.show(), {});
  });

  test('keeps its release from being removed', async () => {
    await mini.use('mini/1/amd64');
    const uses = new ReleaseUses([(reads) => mini.namings(reads)]);
    const all = await uses.all({ get: async () => ({ revision: 1, value: await mini.show() }) as never });
    assert.deepEqual([...all.keys()], ['mini/1/amd64']);
  });
});
