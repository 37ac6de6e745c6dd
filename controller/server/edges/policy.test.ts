import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { DhcpPolicy } from '@bootswarm/controller/contract';
import { InterposedStore } from '../testing/interposed-store.ts';
import { sampleSegment } from '../testing/samples.ts';
import { Edges } from './edges.ts';
import { Policy } from './policy.ts';
import { Segments } from './segments.ts';

const CLASS = { name: 'fast', match: { vendorClass: 'PXEClient' } };
const withClass = DhcpPolicy.parse({ classes: [CLASS] });
const withoutClass = DhcpPolicy.parse({ options: { 'ntp-servers': '10.0.0.1' } });
const aboutSegment = DhcpPolicy.parse({ classes: [{ name: 'here', match: { segments: ['seg1'] } }] });
const pool = { first: '10.1.1.100', last: '10.1.1.199', classes: ['fast'] };
const forClass = sampleSegment(1, 'edge1', { pools: [pool] });

describe('the DHCP policy and the segments, which name each other', () => {
  let store: InterposedStore;
  let policy: Policy;
  let segments: Segments;

  const replace = (next: DhcpPolicy): Promise<DhcpPolicy> =>
    policy.replace(next, (reads) => segments.within(reads));

  beforeEach(async () => {
    store = new InterposedStore();
    policy = new Policy(store);
    segments = new Segments(store, policy, async () => ({}));
    await new Edges(store, 'key').add('edge1', new Date());
  });

  test('nothing is held at first, and the same again changes nothing', async () => {
    assert.deepEqual(await policy.show(), DhcpPolicy.parse({}));
    await replace(withClass);
    assert.deepEqual(await policy.show(), withClass);
    const revision = await store.revision();
    await replace(withClass);
    assert.equal(await store.revision(), revision);
  });

  test('a pool for a class that is not there is refused, until the class is', async () => {
    await assert.rejects(segments.add(forClass), {
      code: 'segment_class_unknown',
      field: 'pools[0].classes',
    });
    await replace(withClass);
    await segments.add(forClass);
    assert.deepEqual(await segments.list(), [forClass]);
  });

  test('a class that a pool is for cannot be taken away', async () => {
    await replace(withClass);
    await segments.add(forClass);
    await assert.rejects(replace(withoutClass), { code: 'segment_class_unknown', message: /seg1.*fast/ });
    await segments.remove('seg1');
    await replace(withoutClass);
  });

  test('a class about a segment that is not there is refused, and keeps one that is from being removed', async () => {
    const field = 'classes[0].match.segments';
    await assert.rejects(replace(aboutSegment), { code: 'class_segment_unknown', field });
    await segments.add(sampleSegment(1, 'edge1'));
    await replace(aboutSegment);
    await assert.rejects(segments.remove('seg1'), { code: 'segment_in_use', message: /here/ });
    await replace(withoutClass);
    await segments.remove('seg1');
  });

  test('a segment is changed whatever classes say of other segments', async () => {
    await segments.add(sampleSegment(1, 'edge1'));
    await replace(aboutSegment);
    await segments.add(sampleSegment(2, 'edge1'));
    assert.equal((await segments.list()).length, 2);
  });

  test('of a pool that comes and its class that goes at the same time, one wins, whoever commits first', async () => {
    await replace(withClass);
    store.beforeNextCommit(() => replace(withoutClass));
    await assert.rejects(segments.add(forClass), { code: 'segment_class_unknown' });
    await replace(withClass);
    store.beforeNextCommit(() => segments.add(forClass));
    await assert.rejects(replace(withoutClass), { code: 'segment_class_unknown' });
  });

  test('of a segment that goes and a class about it that comes at the same time, one wins', async () => {
    await segments.add(sampleSegment(1, 'edge1'));
    store.beforeNextCommit(() => segments.remove('seg1'));
    await assert.rejects(replace(aboutSegment), { code: 'class_segment_unknown' });
    await segments.add(sampleSegment(1, 'edge1'));
    store.beforeNextCommit(() => replace(aboutSegment));
    await assert.rejects(segments.remove('seg1'), { code: 'segment_in_use' });
  });
});
