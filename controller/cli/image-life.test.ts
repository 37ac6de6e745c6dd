import assert from 'node:assert/strict';
import { createWriteStream } from 'node:fs';
import { readFile, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { endpoints } from '@bootswarm/controller/contract';
import { type ContentsFile, type ContentsPackage, Digester, writeContents } from '@bootswarm/images/format';
import { Site } from './testing/site.ts';

let site: Site;

before(async () => {
  site = await Site.start();
});

after(() => site[Symbol.asyncDispose]());

const file = (path: string, bytes: number, digit: string): ContentsFile => ({
  path,
  type: 'file',
  mode: '0644',
  owner: '0:0',
  bytes,
  sha256: digit.repeat(64),
});
const pack = (name: string, version: string, installedBytes: number): ContentsPackage => ({
  package: name,
  version,
  architecture: 'amd64',
  installedBytes,
});

/** Publishes a build with a list of what is in it. */
async function publish(
  version: string,
  contents?: { readonly packages: ContentsPackage[]; readonly files: ContentsFile[] },
): Promise<void> {
  const { folder } = await site.build(version, 5000);
  if (contents) {
    const path = join(folder, 'contents.json.zst');
    await writeContents(contents, createWriteStream(path));
    const digester = new Digester();
    digester.update(await readFile(path));
    const manifest = JSON.parse(await readFile(join(folder, 'manifest.json'), 'utf8'));
    manifest.artefacts.push({ role: 'contents', name: 'contents.json.zst', ...digester.digest() });
    await writeFile(join(folder, 'manifest.json'), JSON.stringify(manifest));
  }
  const { code, stderr } = await site.run('image', 'publish', folder);
  assert.equal(code, 0, stderr);
}

async function versions(): Promise<string[]> {
  const releases = await site.client.call(endpoints.listReleases, {});
  return releases.map(({ manifest }) => manifest.version);
}

test('image diff tells packages, files and sizes without the roots', async () => {
  await publish('d1', {
    packages: [pack('bash', '5.1', 7_000_000), pack('gone', '1.0', 2000)],
    files: [
      file('usr/bin/bash', 1_200_000, 'a'),
      file('usr/bin/gone', 10, 'b'),
      file('usr/bin/same', 5, 'c'),
    ],
  });
  await publish('d2', {
    packages: [pack('bash', '5.2', 7_100_000), pack('new', '1.0', 3000)],
    files: [
      file('usr/bin/bash', 1_300_000, 'd'),
      ...Array.from({ length: 15 }, (_, n) => file(`usr/bin/new${String(n).padStart(2, '0')}`, 100 + n, 'e')),
      file('usr/bin/same', 5, 'c'),
    ].toSorted((x, y) => (x.path < y.path ? -1 : 1)),
  });
  const { code, stdout, stderr } = await site.run('image', 'diff', 'minimal/d1', 'minimal/d2');
  assert.equal(code, 0, stderr);
  assert.match(stdout, /^From minimal\/d1\/amd64 to minimal\/d2\/amd64$/m);
  assert.match(stdout, /^root +5\.0 kB +5\.0 kB +\+0 B$/m);
  assert.match(stdout, /^An edge that has minimal\/d1\/amd64 fetches .*B of .*B\.$/m);
  assert.match(stdout, /^Packages: 1 changed, 1 added, 1 removed$/m);
  assert.match(stdout, /^~ +bash +5\.1 +5\.2 +\+100 kB$/m);
  assert.match(stdout, /^Files: 1 changed \(1\.3 MB\), 15 added \(1\.6 kB\), 1 removed \(10 B\)$/m);
  assert.match(stdout, /^~ +1\.3 MB +usr\/bin\/bash +\+100 kB$/m);
  assert.match(stdout, /^5 smaller ones are left out/m);
  assert.doesNotMatch(stdout, /same$/m);

  const all = await site.run('--json', 'image', 'diff', 'minimal/d1', 'minimal/d2', '--files');
  const { artefacts, contents } = JSON.parse(all.stdout);
  assert.equal(contents.files.added.files.length, 15);
  assert.deepEqual(
    artefacts.find(({ role }: { role: string }) => role === 'root'),
    { role: 'root', fromBytes: 5000, toBytes: 5000, same: false },
  );
});

test('image diff of a release without a list of what is in it says so, and of an unknown one too', async () => {
  await publish('d3');
  const { code, stdout } = await site.run('image', 'diff', 'minimal/d3', 'minimal/d1');
  assert.equal(code, 0);
  assert.match(stdout, /^contents +- +\d+ B/m);
  assert.match(stdout, /What is in them is not known/);
  const unknown = await site.run('image', 'diff', 'minimal/d1', 'minimal/nothing');
  assert.equal(unknown.code, 1);
  assert.match(unknown.stderr, /error: there is no image minimal\/nothing\/amd64/);
});

test('image diff refuses a list that is none', async () => {
  const { folder } = await site.build('d4', 5000);
  const bytes = Buffer.from('no list');
  await writeFile(join(folder, 'contents.json.zst'), bytes);
  const digester = new Digester();
  digester.update(bytes);
  const manifest = JSON.parse(await readFile(join(folder, 'manifest.json'), 'utf8'));
  manifest.artefacts.push({ role: 'contents', name: 'contents.json.zst', ...digester.digest() });
  await writeFile(join(folder, 'manifest.json'), JSON.stringify(manifest));
  assert.equal((await site.run('image', 'publish', folder)).code, 0);
  const { code, stderr } = await site.run('image', 'diff', 'minimal/d1', 'minimal/d4');
  assert.equal(code, 1);
  assert.match(stderr, /error: the list of what is in minimal\/d4\/amd64 cannot be read: /);
});

test('a release that something names is not removed, and the refusal says what', async () => {
  await publish('r1');
  await site.run('machine', 'boot', '52:54:00:00:00:01', 'live', 'minimal/r1/amd64');
  await site.run('image', 'pin', 'minimal/r1');
  const refused = await site.run('image', 'remove', 'minimal/r1');
  assert.equal(refused.code, 1);
  assert.match(
    refused.stderr,
    /error: release minimal\/r1\/amd64 is needed: an operator pinned it; machine m-\w+ boots it\n {2}what to do: /,
  );
  const shown = await site.run('image', 'show', 'minimal/r1');
  assert.match(shown.stdout, /^stays because: +an operator pinned it; machine m-\w+ boots it$/m);
  await site.run('image', 'unpin', 'minimal/r1');
  await site.run('machine', 'boot', '52:54:00:00:00:01', 'local');
  const removed = await site.run('image', 'remove', 'minimal/r1');
  assert.deepEqual([removed.code, removed.stderr], [0, '']);
  assert.equal((await versions()).includes('r1'), false);
  assert.match((await site.run('image', 'remove', 'minimal/r1')).stderr, /there is no image/);
});

test('a release that a channel points to is not removed', async () => {
  await publish('c1');
  assert.equal((await site.run('channel', 'promote', 'minimal/c1', 'stable')).code, 0);
  const { code, stderr } = await site.run('image', 'remove', 'minimal/c1');
  assert.equal(code, 1);
  assert.match(stderr, /is needed: channel minimal\/@stable\/amd64 points to it/);
});

test('image gc removes what is beyond retention and its bytes, and tells it beforehand', async () => {
  for (const version of ['g1', 'g2', 'g3']) await publish(version);
  const rules = await site.run('image', 'retention', 'set', 'minimal', '--keep', '2');
  assert.match(rules.stdout, /^minimal +the newest 2 +-\nall others +every release +-\n$/m);
  await site.run('image', 'pin', 'minimal/g1');
  const before = await versions();
  const dry = await site.run('--json', 'image', 'gc', '--dry-run');
  const due = JSON.parse(dry.stdout).releases.map(({ release }: { release: string }) => release);
  assert.ok(due.includes('minimal/d1/amd64'));
  for (const kept of ['g1', 'g2', 'g3', 'c1'])
    assert.equal(due.includes(`minimal/${kept}/amd64`), false, kept);
  assert.deepEqual(await versions(), before);

  // As if everything had been sent long ago.
  const whole = join(site.folder, 'data', 'artefacts', 'whole');
  const longAgo = new Date('2026-01-01T00:00:00Z');
  const releases = await site.client.call(endpoints.listReleases, {});
  for (const { sha256 } of releases.flatMap(({ manifest }) => manifest.artefacts))
    await utimes(join(whole, sha256), longAgo, longAgo);
  const done = await site.run('image', 'gc');
  assert.equal(done.code, 0, done.stderr);
  assert.match(done.stdout, /^Removed \d+ releases, \d+ artefacts and 0 broken uploads: \d+ kB$/m);
  assert.deepEqual((await versions()).toSorted(), ['c1', 'g1', 'g2', 'g3']);
  // Every release that is left can be fetched.
  for (const { manifest } of await site.client.call(endpoints.listReleases, {}))
    for (const { sha256, length } of manifest.artefacts) {
      const response = await site.client.fetch(endpoints.fetchArtefact, { params: { sha256 } });
      assert.equal((await response.arrayBuffer()).byteLength, length);
    }
  assert.match((await site.run('image', 'gc')).stdout, /^Removed 0 releases, 0 artefacts/);
  const unset = await site.run('image', 'retention', 'unset', 'minimal');
  assert.doesNotMatch(unset.stdout, /^minimal/m);
});
