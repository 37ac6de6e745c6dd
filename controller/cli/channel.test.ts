import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Client, DesiredState, endpoints } from '@bootswarm/controller/contract';
import { releaseId } from '@bootswarm/images/format';
import { Site } from './testing/site.ts';

let site: Site;
let edge: Client;

before(async () => {
  site = await Site.start();
  for (const version of ['1', '2', '3']) {
    const { folder } = await site.build(version, 5000);
    await site.run('image', 'publish', folder);
  }
  const { joinToken } = await site.client.call(endpoints.addEdge, { body: { name: 'edge1' } });
  const { token } = await new Client({ url: site.url, token: joinToken }).call(endpoints.join, {});
  edge = new Client({ url: site.url, token });
  const where = ['--subnet', '10.1.1.0/24', '--router', '10.1.1.1', '--pool', '10.1.1.100-10.1.1.199'];
  const added = await site.run('segment', 'add', 'seg1', ...where, '--edge', 'edge1');
  assert.equal(added.code, 0, added.stderr);
});

after(() => site[Symbol.asyncDispose]());

async function ok(...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await site.run(...args);
  assert.equal(code, 0, stderr);
  return stdout;
}

async function refused(...args: readonly string[]): Promise<string> {
  const { code, stderr } = await site.run(...args);
  assert.equal(code, 1);
  return stderr;
}

async function told(): Promise<DesiredState> {
  const signed = await edge.call(endpoints.desiredState, { query: {} });
  return DesiredState.parse(JSON.parse(signed?.payload ?? ''));
}

const channel = 'minimal/@stable/amd64';

test('a channel is made by promoting a release to it, and an unknown release is refused', async () => {
  assert.match(
    await refused('channel', 'promote', 'minimal/9', 'stable'),
    /minimal\/9\/amd64, which is not published/,
  );
  assert.match(
    await refused('channel', 'show', 'minimal', 'stable'),
    /there is no channel minimal\/@stable\/amd64/,
  );
  assert.match(await ok('channel', 'promote', 'minimal/1', 'stable'), /release: +minimal\/1\/amd64/);
  assert.match(await ok('channel', 'list'), /^minimal\/@stable\/amd64 +1 /m);
});

test('machines and segments that name it move with it; what names a version stays there', async () => {
  await ok('machine', 'boot', '52:54:00:00:00:01', 'live', 'minimal/@stable');
  await ok('machine', 'boot', '52:54:00:00:00:02', 'live', 'minimal/1');
  assert.deepEqual((await told()).releases.map(releaseId), ['minimal/1/amd64']);
  await ok('channel', 'promote', 'minimal/2', 'stable');
  const { releases, channels, machines } = await told();
  assert.deepEqual(releases.map(releaseId), ['minimal/1/amd64', 'minimal/2/amd64']);
  assert.deepEqual(
    channels.map(({ version, previous }) => [version, previous]),
    [['2', '1']],
  );
  assert.deepEqual(
    machines.map(({ intent }) => intent).toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)),
    [
      { kind: 'live', release: 'minimal/1/amd64' },
      { kind: 'live', release: channel },
    ],
  );
});

test('a rollback goes back once', async () => {
  assert.match(await ok('channel', 'rollback', 'minimal', 'stable'), /release: +minimal\/1\/amd64/);
  assert.match(
    await refused('channel', 'rollback', 'minimal', 'stable'),
    /does not know where it stood before/,
  );
});

test('a pinned channel stays where it is until it is unpinned', async () => {
  assert.match(await ok('channel', 'pin', 'minimal', 'stable'), /pinned: +yes/);
  assert.match(
    await refused('channel', 'promote', 'minimal/3', 'stable'),
    /is pinned to version 1.*\n.*unpin/,
  );
  assert.match(
    await ok('channel', 'promote', 'minimal/1', 'stable'),
    /pinned: +yes/,
    'where it is anyway is no move',
  );
  assert.doesNotMatch(await ok('channel', 'unpin', 'minimal', 'stable'), /pinned/);
  await ok('channel', 'promote', 'minimal/3', 'stable');
  assert.deepEqual((await told()).releases.map(releaseId), ['minimal/1/amd64', 'minimal/3/amd64']);
});

test('a channel that something names is not removed, and nothing may name one that is not there', async () => {
  assert.match(await refused('channel', 'remove', 'minimal', 'stable'), /is named by machine/);
  await ok('machine', 'boot', '52:54:00:00:00:01', 'local');
  await ok('channel', 'remove', 'minimal', 'stable');
  assert.match(
    await refused('machine', 'boot', '52:54:00:00:00:01', 'live', 'minimal/@stable'),
    /there is no channel minimal\/@stable\/amd64/,
  );
});

test('names that are no channels are refused with the field', async () => {
  assert.match(
    await refused('channel', 'promote', 'minimal/1', 'No!'),
    /error: channel: 'minimal\/@No!\/amd64'/,
  );
  assert.match(
    await refused('machine', 'boot', '52:54:00:00:00:01', 'live', 'minimal/@/amd64'),
    /error: channel/,
  );
});
