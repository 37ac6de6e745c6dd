import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Site } from './testing/site.ts';

test('a rollout is planned, started, shown, aborted and removed; what cannot be says which option and why', async () => {
  await using site = await Site.start();
  const { folder, release } = await site.build('2.0', 1000);
  assert.equal((await site.run('image', 'publish', folder)).code, 0);
  await site.run('edge', 'add', 'edge1');
  const segment = {
    name: 'seg1',
    subnet: '10.1.1.0/24',
    pools: [{ first: '10.1.1.100', last: '10.1.1.199' }],
    edges: ['edge1'],
  };
  await fetch(`${site.url}/v1/segments`, {
    method: 'POST',
    body: JSON.stringify(segment),
    headers: { authorization: `Bearer ${site.operatorToken}`, 'content-type': 'application/json' },
  });
  for (const last of ['01', '02'])
    await site.run('machine', 'register', '--mac', `52:54:00:00:00:${last}`, '--segment', 'seg1');
  const order = ['spring', '--release', release, '--match', 'segment=seg1', '--power', 'none'];

  const waves = await site.run('rollout', 'plan', ...order, '--waves', '1,5%');
  assert.match(waves.stderr, /waves: .*must end with 'rest'/);
  const hook = await site.run('rollout', 'plan', ...order, '--hook-before', 'http://10.0.0.1/');
  assert.match(hook.stderr, /hookSecret: .*--hook-secret/);

  const plan = await site.run('rollout', 'plan', ...order, '--waves', '1,rest');
  assert.match(plan.stdout, /^MACHINE +WAVE/);
  assert.match(plan.stdout, /m-\w+ +1\n.*m-\w+ +2\n/s);
  assert.match(plan.stdout, /not ready: +seg1: none of its edges was heard of lately: edge1/);
  assert.match((await site.run('rollout', 'start', ...order)).stdout, /state: +running/);
  assert.match((await site.run('rollout', 'show', 'spring', '--machines')).stdout, /waiting/);
  assert.match((await site.run('rollout', 'pause', 'spring')).stdout, /state: +paused/);
  const late = await site.run('rollout', 'abort', 'spring', '--revision', '1');
  assert.match(late.stderr, /revision: .*changed/);
  assert.equal((await site.run('rollout', 'abort', 'spring')).code, 0);
  const followed = await site.run('--json', 'rollout', 'show', 'spring', '--follow');
  assert.equal(followed.code, 1, 'it did not come to be done');
  assert.equal(JSON.parse(followed.stdout.trim().split('\n').at(-1) ?? '').state, 'stopped');
  assert.match((await site.run('rollout', 'list')).stdout, /spring +stopped/);
  assert.equal((await site.run('rollout', 'remove', 'spring')).stdout, 'Removed rollout spring\n');
  assert.match((await site.run('rollout', 'show', 'spring')).stderr, /there is no rollout spring/);
});
