import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { problem } from '@bootswarm/controller/contract';
import { InterposedStore } from '../testing/interposed-store.ts';
import { sampleSegment } from '../testing/samples.ts';
import { Edges } from './edges.ts';
import { Policy } from './policy.ts';
import { Segments } from './segments.ts';

const now = new Date('2026-03-02T08:00:00Z');

describe('segments', () => {
  let store: InterposedStore;
  let segments: Segments;
  let edges: Edges;

  beforeEach(async () => {
    store = new InterposedStore();
    segments = new Segments(store, new Policy(store), async (intent) => {
      if (intent.kind === 'live')
        throw problem('machine_release_unknown', { facts: { release: intent.release } });
      return {};
    });
    edges = new Edges(store, 'key');
    await edges.add('edge1', now);
    await edges.add('edge2', now);
  });

  const removeEdge = (name: string): Promise<void> =>
    edges.remove(name, (edge, reads) => segments.servedBy(edge, reads));

  test('are added, shown, listed and removed', async () => {
    const added = await segments.add(sampleSegment(1, 'edge1'));
    assert.deepEqual(added, sampleSegment(1, 'edge1'));
    assert.deepEqual(await segments.show('seg1'), added);
    assert.deepEqual(await segments.list(), [added]);
    await segments.remove('seg1');
    assert.deepEqual(await segments.list(), []);
    await assert.rejects(segments.show('seg1'), { code: 'not_found' });
    await assert.rejects(segments.remove('seg1'), { code: 'not_found' });
  });

  test('added again alike change nothing; added again otherwise are refused', async () => {
    await segments.add(sampleSegment(1, 'edge1'));
    const revision = await store.revision();
    await segments.add(sampleSegment(1, 'edge1'));
    assert.equal(await store.revision(), revision);
    const other = sampleSegment(1, 'edge1', { leaseSeconds: 600 });
    await assert.rejects(segments.add(other), { code: 'already_exists', field: 'name' });
  });

  test('that name an edge or a release that is not there are refused', async () => {
    const cases = [
      {
        segment: sampleSegment(1, 'edge1', { edges: ['edge1', 'edge9'] }),
        code: 'edge_unknown',
        field: 'edges[1]',
      },
      {
        segment: sampleSegment(1, 'edge1', { defaultIntent: { kind: 'live', release: 'a/1/amd64' } }),
        code: 'machine_release_unknown',
      },
    ];
    for (const { segment, ...refusal } of cases) await assert.rejects(segments.add(segment), refusal);
    assert.deepEqual(await segments.list(), []);
  });

  test('that overlap and are added at the same time: one wins', async () => {
    const [a, b] = [sampleSegment(1, 'edge1'), sampleSegment(1, 'edge2', { name: 'other' })];
    store.beforeNextCommit(() => segments.add(b));
    await assert.rejects(segments.add(a), { code: 'segment_pool_overlaps', field: 'pools[0]' });
    assert.deepEqual(await segments.list(), [b]);
  });

  test('that lie apart and are added at the same time are both there', async () => {
    store.beforeNextCommit(() => segments.add(sampleSegment(2, 'edge2')));
    await segments.add(sampleSegment(1, 'edge1'));
    assert.deepEqual(
      (await segments.list()).map(({ name }) => name),
      ['seg1', 'seg2'],
    );
  });

  test('keep their edge from being removed', async () => {
    await segments.add(sampleSegment(1, 'edge1'));
    await assert.rejects(removeEdge('edge1'), { code: 'edge_in_use', message: /seg1/ });
    await segments.remove('seg1');
    await removeEdge('edge1');
    await assert.rejects(edges.show('edge1'), { code: 'not_found' });
  });

  test('added while their edge is being removed: one of both wins, whoever commits first', async () => {
    store.beforeNextCommit(() => segments.add(sampleSegment(1, 'edge1')));
    await assert.rejects(removeEdge('edge1'), { code: 'edge_in_use' });
    assert.equal((await edges.show('edge1')).name, 'edge1');

    store.beforeNextCommit(() => removeEdge('edge2'));
    await assert.rejects(segments.add(sampleSegment(2, 'edge2')), { code: 'edge_unknown' });
  });
});
