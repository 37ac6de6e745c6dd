import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { digestOf } from '@bootswarm/images/format';
import { MemoryStore } from '../store/memory-store.ts';
import { chunked, type SampleRelease, sampleBytes, sampleRelease } from '../testing/samples.ts';
import { Releases } from './releases.ts';
import { artefactKey } from './uploads.ts';

const [monday, tuesday] = [new Date('2026-03-02T08:00:00Z'), new Date('2026-03-03T08:00:00Z')];

describe('publishing a release', () => {
  let store: MemoryStore;
  let releases: Releases;
  let sample: SampleRelease;

  beforeEach(async () => {
    store = new MemoryStore();
    releases = new Releases(store);
    sample = await sampleRelease();
    for (const bytes of sample.contents) {
      const digest = await digestOf(chunked(bytes));
      await store.commit({ put: { [artefactKey(digest.sha256)]: digest } });
    }
  });

  test('makes it, with the time', async () => {
    const { manifest } = sample;
    const release = await releases.publish(manifest, monday);
    assert.deepEqual(release, { manifest, publishedAt: monday.toISOString() });
    assert.deepEqual(await releases.show('minimal/1.0/amd64'), release);
    assert.deepEqual(await releases.list(), [release]);
  });

  test('again changes nothing, not even the time or the revision', async () => {
    const first = await releases.publish(sample.manifest, monday);
    const revision = await store.revision();
    assert.deepEqual(await releases.publish(structuredClone(sample.manifest), tuesday), first);
    assert.equal(await store.revision(), revision);
  });

  test('with other contents is refused: it never changes', async () => {
    const first = await releases.publish(sample.manifest, monday);
    const other = { ...sample.manifest, kernelArguments: ['quiet'] };
    await assert.rejects(releases.publish(other, tuesday), { code: 'release_immutable', field: 'version' });
    assert.deepEqual(await releases.list(), [first]);
  });

  test('of two at once with other contents, one wins', async () => {
    const other = { ...sample.manifest, kernelArguments: ['quiet'] };
    const outcomes = await Promise.allSettled([
      releases.publish(sample.manifest, monday),
      releases.publish(other, monday),
    ]);
    assert.deepEqual(outcomes.map(({ status }) => status).toSorted(), ['fulfilled', 'rejected']);
  });

  test('whose artefact has not arrived names it', async () => {
    const [, initramfs] = sample.manifest.artefacts;
    await store.commit({ remove: [artefactKey(initramfs?.sha256 ?? '')] });
    await assert.rejects(releases.publish(sample.manifest, monday), {
      code: 'release_artefact_missing',
      field: 'artefacts[1]',
      message: /'initramfs'/,
    });
    assert.deepEqual(await releases.list(), []);
  });

  test('whose manifest says other things than what arrived names them', async () => {
    const [kernel, ...others] = sample.manifest.artefacts;
    assert.ok(kernel);
    const cases = [
      { field: 'length', artefact: { ...kernel, length: kernel.length - 1 } },
      { field: 'pieceBytes', artefact: { ...kernel, pieceBytes: kernel.pieceBytes * 2 } },
      {
        field: 'pieces',
        artefact: { ...kernel, pieces: [(await digestOf(chunked(sampleBytes(9)))).sha256] },
      },
    ];
    for (const { field, artefact } of cases)
      await assert.rejects(
        releases.publish({ ...sample.manifest, artefacts: [artefact, ...others] }, monday),
        {
          code: 'release_artefact_differs',
          field: `artefacts[0].${field}`,
        },
      );
  });

  test('nobody published is not found', async () => {
    await assert.rejects(releases.show('minimal/9/amd64'), { code: 'not_found' });
  });
});
