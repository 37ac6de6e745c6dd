import assert from 'node:assert/strict';
import { createReadStream } from 'node:fs';
import { mkdtempDisposable, readFile, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { digestOf } from '@bootswarm/images/format';
import { openFolder } from './folder-medium.ts';
import { openMedium } from './open-medium.ts';
import { openTar } from './tar-medium.ts';
import { writeFiles } from './testing/medium-bytes.ts';
import { hasTree, indexOfWhole, writeTree } from './tree.ts';

const LONG = `pool/${'long-name-'.repeat(12)}/paket-ä.deb`;
const FILES = {
  'dists/bookworm/Release': 'Suite: bookworm',
  'pool/empty': '',
  [LONG]: 'x'.repeat(70_000),
};

async function repository() {
  const base = await mkdtempDisposable(join(tmpdir(), 'bootswarm-test-'));
  await writeFiles(join(base.path, 'repo'), FILES);
  await symlink('bookworm', join(base.path, 'repo/dists/stable'));
  await symlink('/etc', join(base.path, 'repo/dists/outside'));
  return { base, medium: await openFolder(join(base.path, 'repo')), tar: join(base.path, 'tree.tar') };
}

test('the index of a tree says where each file lies in it', async () => {
  const { base, medium, tar } = await repository();
  await using _ = base;
  assert.ok(hasTree(medium));
  const index = await writeTree(medium, tar);
  const bytes = await readFile(tar);
  assert.equal(index.length, bytes.length);
  const found = index.files.map(({ path, offset, length }) => [
    path,
    bytes.toString('utf8', offset, offset + length),
  ]);
  assert.deepEqual(Object.fromEntries(found), FILES);
  assert.deepEqual(index.links, [{ path: 'dists/stable', target: 'dists/bookworm' }]);
});

test('a tree is a tar that reads back as it was, and the same files give the same bytes', async () => {
  const { base, medium, tar } = await repository();
  await using _ = base;
  const index = await writeTree(medium, tar);
  const again = await openTar(tar, index.length, 'tree.tar');
  assert.deepEqual(
    indexOfWhole(again, index.length).files,
    index.files.map((file) => (file.length === 0 ? { ...file, offset: 0 } : file)),
  );
  assert.deepEqual([...again.links], [['dists/stable', 'dists/bookworm']]);
  await writeTree(medium, `${tar}2`);
  const digests = [tar, `${tar}2`].map((path) => digestOf(createReadStream(path)));
  const [first, second] = await Promise.all(digests);
  assert.equal(first?.sha256, second?.sha256);
});

test('a netboot.tar.gz is opened by what it is', async () => {
  const { base, medium, tar } = await repository();
  await using _ = base;
  await writeTree(medium, tar);
  const gz = join(base.path, 'netboot');
  await writeFile(gz, gzipSync(await readFile(tar)));
  const opened = await openMedium(gz, gz, base.path);
  assert.deepEqual([opened.kind, [...opened.files.keys()].sort()], ['tar', Object.keys(FILES).sort()]);
  await writeFile(gz, gzipSync(await readFile(tar)).subarray(0, 200));
  await assert.rejects(openMedium(gz, gz, join(base.path, 'repo')), {
    code: 'archive_invalid',
    message: /unexpected end/,
  });
});

test('a tar that is damaged, truncated or leads out is refused or listed without what leads out', async () => {
  const { base, medium, tar } = await repository();
  await using _ = base;
  const { length } = await writeTree(medium, tar);
  await truncate(tar, 100_000 - 40_000);
  await assert.rejects(openTar(tar, 60_000, 'it'), {
    code: 'archive_invalid',
    message: /truncated: .*paket-ä\.deb ends at/,
  });
  const bytes = await readFile(tar);
  bytes[3] = 0x20;
  await writeFile(tar, bytes);
  await assert.rejects(openTar(tar, length, 'it'), { message: /wrong checksum/ });
});
