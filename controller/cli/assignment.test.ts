import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Site } from './testing/site.ts';

const MAC = '52:54:00:00:00:01';
let site: Site;

before(async () => {
  site = await Site.start();
  const { folder } = await site.build('1.0', 5000);
  assert.equal((await site.run('image', 'publish', folder)).code, 0);
  const file = join(site.folder, 'profile.yaml');
  await writeFile(
    file,
    'name: web\nkind: image\nrelease: minimal/1.0/amd64\nlayout: { disks: [{ serial: S-1 }] }\n',
  );
  const { code, stderr } = await site.run('profile', 'apply', file);
  assert.equal(code, 0, stderr);
  assert.equal((await site.run('machine', 'register', '--mac', MAC, '--name', 'web-1')).code, 0);
});

after(() => site[Symbol.asyncDispose]());

test('machine boot install takes what is assigned, tells by whom, and refuses where nothing is', async () => {
  const none = await site.run('machine', 'boot', 'web-1', 'install');
  assert.equal(none.code, 1);
  assert.match(none.stderr, /^error: nothing is assigned to machine m-\w+$/m);
  assert.match(none.stderr, /what to do: Name a profile .*or assign one: 'bootswarm assign/);

  const assign = ['assign', 'all', '--profile', 'web', '--kernel-arg', 'console=ttyS0', 'quiet'];
  assert.equal((await site.run(...assign)).stdout, 'Assignment all: all machines by profile web\n');
  const booted = await site.run('machine', 'boot', 'web-1', 'install');
  assert.match(booted.stdout, /^Machine m-\w+ boots: install web, as assignment all says$/m);
  const { stdout } = await site.run('machine', 'show', 'web-1');
  assert.match(stdout, /^intent: +install web, as assignment all says$/m);

  const release = await site.run('machine', 'boot', 'web-1', 'install', '--release', 'minimal/1.0');
  assert.match(release.stderr, /^error: profile: 'install' needs a profile beside --release/m);
  const named = await site.run('machine', 'boot', 'web-1', 'install', 'web');
  assert.match(named.stdout, /^Machine m-\w+ boots: install web$/m);
});

test('an assignment of a variable that its profile has not is refused', async () => {
  const { code, stderr } = await site.run('assign', 'odd', '--profile', 'web', '--variable', 'rack=r1');
  assert.equal(code, 1);
  assert.match(stderr, /^error: profile: assignment odd and profile web do not fit each other/m);
  assert.match(stderr, /has no variable 'rack'/);
});
