import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import {
  type Edge,
  EdgeSwarmAnswer,
  type EdgeSwarmReport,
  endpoints,
  RateSchedule,
} from '@bootswarm/controller/contract';
import { ControllerUnderTest } from '../testing/controller-under-test.ts';
import { EdgeSwarm } from './edge-swarm.ts';

const IMAGE = 'ab'.repeat(32);
const SLOW = RateSchedule.parse({ bytesPerSecond: 1000 });
const FAST = RateSchedule.parse({ bytesPerSecond: 9000 });

describe('edges that tell of themselves', () => {
  let nowMs: number;
  let edges: Edge[];
  let swarm: EdgeSwarm;

  beforeEach(() => {
    nowMs = 0;
    edges = [
      { name: 'a', journalSeq: 0, site: 's', rate: SLOW },
      { name: 'b', journalSeq: 0, site: 's', rate: FAST },
      { name: 'c', journalSeq: 0 },
    ];
    swarm = new EdgeSwarm({ edges: async () => edges, clock: () => nowMs });
  });

  function report(name: string, what: Partial<EdgeSwarmReport> = {}) {
    const address = `10.0.0.${name.charCodeAt(0)}`;
    return swarm.report(name, { address, port: 8483, has: [], fetching: [], ...what }, address);
  }
  const fetching = (bytes = 0) => ({ fetching: [{ sha256: IMAGE, bytes }] });

  test('are known to one another, those of a site as near', async () => {
    await report('a');
    await report('c');
    const { edges: known, near, artefacts } = await report('b');
    assert.deepEqual([known, near, artefacts], [['10.0.0.97', '10.0.0.99'], ['10.0.0.97'], []]);
  });

  test('are forgotten when they are silent, and told of again', async () => {
    await report('a', { has: [IMAGE] });
    nowMs = 34_000;
    assert.deepEqual((await report('c', fetching())).artefacts[0]?.peers, [
      { address: '10.0.0.97', port: 8483 },
    ]);
    assert.ok(swarm.isAllowed('10.0.0.97'));
    nowMs = 36_000;
    assert.deepEqual((await report('c', fetching())).artefacts[0]?.peers, []);
    assert.ok(!swarm.isAllowed('10.0.0.97'));
    await report('a', { has: [IMAGE] });
    assert.equal((await report('c', fetching())).artefacts[0]?.peers.length, 1);
  });

  test('may connect from where they say, and from where they are seen; nobody else may', async () => {
    await swarm.report('c', { address: '10.9.9.9', port: 1, has: [], fetching: [] }, '192.0.2.7');
    assert.deepEqual(
      ['10.9.9.9', '192.0.2.7', '192.0.2.8'].map((each) => swarm.isAllowed(each)),
      [true, true, false],
    );
  });

  test('that were removed are not told of, and are told nothing', async () => {
    await report('a', { has: [IMAGE] });
    edges = edges.filter(({ name }) => name !== 'a');
    nowMs = 3000;
    assert.deepEqual((await report('c', fetching())).edges, []);
    assert.deepEqual((await report('a')).edges, []);
  });

  test('of which one gets nothing for a minute let another fetch for the site', async () => {
    const outside = async (name: string, bytes: number) =>
      (await report(name, fetching(bytes))).artefacts[0]?.outside;
    assert.equal(await outside('a', 0), true);
    assert.equal(await outside('b', 0), false);
    for (nowMs = 10_000; nowMs < 60_000; nowMs += 10_000) {
      assert.equal(await outside('a', 0), true);
      assert.equal(await outside('b', nowMs), false, String(nowMs));
    }
    assert.equal(await outside('b', nowMs), true);
    // It has come back to life: the two share the cap as long as both fetch.
    const { rates, rateSharers } = await report('a', fetching());
    assert.deepEqual([rates, rateSharers], [[SLOW, FAST], 2]);
  });
});

test('over HTTP an edge gets the answer of the contract, and nobody else does', async () => {
  await using controller = await ControllerUnderTest.start();
  const token = await controller.joinEdge('edge1');
  const body = { address: '10.0.0.1', port: 8483, has: [], fetching: [{ sha256: IMAGE, bytes: 0 }] };
  const answer = await controller.client(token).call(endpoints.edgeSwarm, { body });
  assert.deepEqual(answer, EdgeSwarmAnswer.parse({ edges: [], artefacts: answer.artefacts }));
  assert.equal(answer.artefacts[0]?.outside, true);
  await assert.rejects(controller.operator.call(endpoints.edgeSwarm, { body }), {
    code: 'token_not_for_this',
  });
});

test('what an operator sets of an edge stays when it joins anew', async () => {
  await using controller = await ControllerUnderTest.start();
  const { operator } = controller;
  await controller.joinEdge('edge1');
  const params = { name: 'edge1' };
  await operator.call(endpoints.changeEdge, { params, body: { site: 'berlin', rate: SLOW } });
  const changed = await operator.call(endpoints.changeEdge, { params, body: { rate: FAST } });
  assert.deepEqual([changed.site, changed.rate], ['berlin', FAST]);
  const { joinToken } = await operator.call(endpoints.inviteEdge, { params });
  await controller.client(joinToken).call(endpoints.join, {});
  const { site, rate } = await operator.call(endpoints.showEdge, { params });
  assert.deepEqual([site, rate], ['berlin', FAST]);
  const bare = await operator.call(endpoints.changeEdge, { params, body: { site: null, rate: null } });
  assert.deepEqual([bare.site, bare.rate], [undefined, undefined]);
  await assert.rejects(operator.call(endpoints.changeEdge, { params: { name: 'none' }, body: {} }), {
    code: 'not_found',
  });
});
