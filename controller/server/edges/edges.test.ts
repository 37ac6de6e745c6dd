import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { endpoints } from '@bootswarm/controller/contract';
import { actorOf } from '../access/tokens.ts';
import { ControllerUnderTest } from '../testing/controller-under-test.ts';
import { InterposedStore } from '../testing/interposed-store.ts';
import { Edges } from './edges.ts';

const now = new Date('2026-03-02T08:00:00Z');
const soon = new Date('2026-03-03T07:59:59Z');
const tooLate = new Date('2026-03-03T08:00:00Z');
const refused = { code: 'join_token_refused', status: 401 };

describe('edges', () => {
  let store: InterposedStore;
  let edges: Edges;

  beforeEach(() => {
    store = new InterposedStore();
    edges = new Edges(store, 'public key');
  });

  const remove = (name: string): Promise<void> => edges.remove(name, async () => undefined);

  test('join with their token and are known by the one that they get', async () => {
    const { joinToken, edge, expiresAt } = await edges.add('edge1', now);
    assert.deepEqual([edge, expiresAt], [{ name: 'edge1', journalSeq: 0 }, tooLate.toISOString()]);
    const { token, ...credentials } = await edges.join(joinToken, soon);
    assert.deepEqual(credentials, { name: 'edge1', controllerKey: 'public key' });
    assert.deepEqual(await actorOf(store, token, now), { kind: 'edge', edge: 'edge1' });
    assert.equal((await edges.show('edge1')).joinedAt, soon.toISOString());
  });

  test('are added once, and told how to get a new token', async () => {
    await edges.add('edge1', now);
    await assert.rejects(edges.add('edge1', now), {
      code: 'edge_exists',
      field: 'name',
      remedy: /edge invite edge1/,
    });
  });

  test('cannot join with a token twice, after a day, with one of another kind, or with none', async () => {
    const { joinToken } = await edges.add('edge1', now);
    await assert.rejects(edges.join(joinToken, tooLate), refused);
    assert.equal(await actorOf(store, joinToken, tooLate), undefined);
    const { token } = await edges.join(joinToken, soon);
    for (const each of [joinToken, token, '', 'bsj_guess'])
      await assert.rejects(edges.join(each, soon), refused);
  });

  test('of many who join with one token, one wins', async () => {
    const { joinToken } = await edges.add('edge1', now);
    const tries = await Promise.allSettled(Array.from({ length: 8 }, () => edges.join(joinToken, now)));
    const won = tries.filter((each) => each.status === 'fulfilled');
    assert.equal(won.length, 1);
    assert.deepEqual(await actorOf(store, won[0]?.value.token ?? '', now), { kind: 'edge', edge: 'edge1' });
  });

  test('who are invited again keep their token until they join', async () => {
    const { token: old } = await edges.join((await edges.add('edge1', now)).joinToken, now);
    const first = await edges.invite('edge1', now);
    const second = await edges.invite('edge1', now);
    assert.notEqual(await actorOf(store, old, now), undefined);
    await assert.rejects(edges.join(first.joinToken, now), refused);
    const { token } = await edges.join(second.joinToken, now);
    assert.equal(await actorOf(store, old, now), undefined);
    assert.notEqual(await actorOf(store, token, now), undefined);
  });

  test('who are invited twice at once can join with the one that was last', async () => {
    const { joinToken: added } = await edges.add('edge1', now);
    let first = '';
    store.beforeNextCommit(async () => {
      first = (await edges.invite('edge1', now)).joinToken;
    });
    const second = await edges.invite('edge1', now);
    for (const joinToken of [added, first]) await assert.rejects(edges.join(joinToken, now), refused);
    await edges.join(second.joinToken, now);
  });

  test('who are removed are known no more, whatever was under way', async () => {
    const { joinToken } = await edges.add('edge1', now);
    const { token } = await edges.join(joinToken, now);
    const again = await edges.invite('edge1', now);
    await remove('edge1');
    assert.equal(await actorOf(store, token, now), undefined);
    await assert.rejects(edges.join(again.joinToken, now), refused);
    await assert.rejects(edges.invite('edge1', now), { code: 'not_found' });
    await assert.rejects(remove('edge1'), { code: 'not_found' });
    assert.deepEqual(await store.list('tokens/'), []);
  });

  test('who are removed while they join or are invited leave no token behind', async () => {
    const { joinToken } = await edges.add('edge1', now);
    store.beforeNextCommit(() => edges.join(joinToken, now));
    await remove('edge1');
    await edges.add('edge2', now);
    store.beforeNextCommit(() => edges.invite('edge2', now));
    await remove('edge2');
    assert.deepEqual(await store.list(''), []);
  });

  test('who report are seen, with what they have ready', async () => {
    await edges.add('edge1', now);
    const status = { revision: 7, addresses: [], ready: ['a'.repeat(64)], waiting: [] };
    await edges.report('edge1', status, soon);
    const { lastSeenAt, status: kept } = await edges.show('edge1');
    assert.deepEqual([lastSeenAt, kept], [soon.toISOString(), status]);
    await assert.rejects(edges.report('edge9', status, soon), { code: 'not_found' });
  });
});

describe('edges over HTTP', () => {
  let controller: ControllerUnderTest;
  before(async () => {
    controller = await ControllerUnderTest.start();
  });
  after(() => controller[Symbol.asyncDispose]());

  test("a join token joins once, and a removed edge's token is unknown", async () => {
    const { joinToken } = await controller.operator.call(endpoints.addEdge, { body: { name: 'edge1' } });
    const { token } = await controller.client(joinToken).call(endpoints.join, {});
    await assert.rejects(controller.client(joinToken).call(endpoints.join, {}), refused);
    const edge = controller.client(token);
    assert.notEqual(await edge.call(endpoints.desiredState, { query: {} }), null);
    await controller.operator.call(endpoints.removeEdge, { params: { name: 'edge1' } });
    await assert.rejects(edge.call(endpoints.desiredState, { query: {} }), {
      code: 'token_missing',
      status: 401,
    });
  });

  test('a segment keeps its edge from being removed', async () => {
    const { operator } = controller;
    await operator.call(endpoints.addEdge, { body: { name: 'edge2' } });
    const body = {
      name: 'seg2',
      subnet: '10.1.2.0/24',
      pools: [{ first: '10.1.2.10', last: '10.1.2.20' }],
      edges: ['edge2'],
    };
    await operator.call(endpoints.addSegment, { body });
    const params = { name: 'edge2' };
    await assert.rejects(operator.call(endpoints.removeEdge, { params }), {
      code: 'edge_in_use',
      status: 409,
    });
    await operator.call(endpoints.removeSegment, { params: { name: 'seg2' } });
    assert.deepEqual(await operator.call(endpoints.removeEdge, { params }), {});
  });
});
