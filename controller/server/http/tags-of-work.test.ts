import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { endpoints } from '@bootswarm/controller/contract';
import { RolloutSite } from '../rollouts/testing/rollout-site.ts';
import { MemoryStore } from '../store/memory-store.ts';
import { ControllerUnderTest } from '../testing/controller-under-test.ts';

const refused = { code: 'changed_meanwhile', status: 412 };

async function withRelease(run: (controller: ControllerUnderTest, site: RolloutSite) => Promise<void>) {
  const folder = await mkdtemp(join(tmpdir(), 'bootswarm-tags-'));
  try {
    const store = new MemoryStore();
    const site = await RolloutSite.make(store, folder);
    await using controller = await ControllerUnderTest.start(store);
    await run(controller, site);
  } finally {
    await rm(folder, { recursive: true });
  }
}

test('a rollout: who tells it something is refused where somebody else was quicker', () =>
  withRelease(async ({ operator, url, operatorToken }, site) => {
    const params = { name: 'spring' };
    await operator.call(endpoints.startRollout, { body: site.order() });
    const { tag = '' } = await operator.callTagged(endpoints.showRollout, { params });
    const headers = { authorization: `Bearer ${operatorToken}`, 'if-none-match': tag };
    assert.equal((await fetch(`${url}/v1/rollouts/spring`, { headers })).status, 304);
    const told = await operator.callTagged(
      endpoints.pauseRollout,
      { params, body: {} },
      { headers: { 'if-match': tag } },
    );
    assert.notEqual(told.tag, tag);
    assert.equal((await operator.callTagged(endpoints.showRollout, { params })).tag, told.tag);
    const stale = { headers: { 'if-match': tag } };
    await assert.rejects(operator.call(endpoints.resumeRollout, { params, body: {} }, stale), refused);
    await assert.rejects(operator.call(endpoints.removeRollout, { params }, stale), refused);
    const fresh = { headers: { 'if-match': told.tag ?? '' } };
    const { state } = await operator.call(endpoints.resumeRollout, { params, body: {} }, fresh);
    assert.equal(state, 'running');
  }));

test('an assignment: of two who change what both have seen, the second is told', () =>
  withRelease(async ({ operator }) => {
    const release = 'minimal/1.0/amd64';
    const layout = { disks: [{ serial: 'S-1' }] };
    const profile = { name: 'web', kind: 'image' as const, release, layout };
    await operator.call(endpoints.replaceProfile, { params: { name: 'web' }, body: profile });
    const params = { name: 'a1' };
    const replace = (match: string, headers: Record<string, string>) =>
      operator.callTagged(
        endpoints.replaceAssignment,
        { params, body: { name: 'a1', match, profile: 'web' } },
        { headers },
      );
    await replace('class=web', { 'if-none-match': '*' });
    await assert.rejects(replace('class=web', { 'if-none-match': '*' }), refused);
    const { tag = '' } = await operator.callTagged(endpoints.showAssignment, { params });
    const changed = await replace('class=big', { 'if-match': tag });
    await assert.rejects(replace('class=small', { 'if-match': tag }), refused);
    const remove = (seen: string) =>
      operator.call(endpoints.removeAssignment, { params }, { headers: { 'if-match': seen } });
    await assert.rejects(remove(tag), refused);
    await remove(changed.tag ?? '');
  }));

test('the channels: targets that were made for others are refused before anybody looks into them', () =>
  withRelease(async ({ operator, url, operatorToken }) => {
    const { tag = '', result } = await operator.callTagged(endpoints.listChannels, {});
    assert.deepEqual(result, []);
    const headers = { authorization: `Bearer ${operatorToken}`, 'if-none-match': tag };
    assert.equal((await fetch(`${url}/v1/channels`, { headers })).status, 304);
    const move = (seen: string) =>
      operator.call(endpoints.moveChannels, { body: { targets: '{}' } }, { headers: { 'if-match': seen } });
    await assert.rejects(move('"other"'), refused);
    await assert.rejects(move(tag), { code: 'trust_missing' });
  }));
