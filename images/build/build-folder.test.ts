import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtempDisposable, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Artefact, artefactOf, ChunkIndex, Manifest, PIECE_BYTES } from '@bootswarm/images/format';
import { readBuildFolder, verifyBuildFolder, writeManifest } from './build-folder.ts';

const RELEASE = {
  name: 'tiny',
  version: '1',
  architecture: 'amd64',
  bootStyle: 'live-boot',
  kernelArguments: ['boot=live'],
} as const;

/** A build folder whose root has three pieces, removed after the test. */
async function buildFolder() {
  const folder = await mkdtempDisposable(join(tmpdir(), 'bootswarm-test-'));
  await writeFile(join(folder.path, 'vmlinuz'), 'kernel');
  await writeFile(join(folder.path, 'initrd.img'), 'initramfs');
  await writeFile(join(folder.path, 'root.squashfs'), randomBytes(2 * PIECE_BYTES + 1));
  await writeManifest(folder.path, { ...RELEASE, kernelArguments: [...RELEASE.kernelArguments] });
  return folder;
}

async function changeByte(path: string, offset: number): Promise<void> {
  const bytes = await readFile(path);
  bytes[offset] = (bytes[offset] ?? 0) ^ 1;
  await writeFile(path, bytes);
}

test('what was written is read and verified', async () => {
  await using folder = await buildFolder();
  const { manifest, artefactPath } = await readBuildFolder(folder.path);
  assert.deepEqual(manifest.kernelArguments, ['boot=live']);
  assert.equal(artefactOf(manifest, 'root').pieces.length, 3);
  assert.equal(artefactPath(artefactOf(manifest, 'kernel')), join(folder.path, 'vmlinuz'));

  const seen: number[] = [];
  await verifyBuildFolder(folder.path, { onBytes: (bytes, ofBytes) => seen.push(bytes / ofBytes) });
  assert.equal(seen.at(-1), 1);
  assert.deepEqual(seen, seen.toSorted());
});

test('a root comes with the index of its chunks', async () => {
  await using folder = await buildFolder();
  const { manifest, artefactPath } = await readBuildFolder(folder.path);
  const [root, chunks] = [artefactOf(manifest, 'root'), artefactOf(manifest, 'chunks')];
  assert.equal(chunks.name, 'root.chunks');
  const index = new ChunkIndex(await readFile(artefactPath(chunks)));
  assert.equal(index.sha256, root.sha256);
  assert.equal(index.length, root.length);
});

test('a changed byte is found, with its piece', async () => {
  await using folder = await buildFolder();
  await changeByte(join(folder.path, 'root.squashfs'), PIECE_BYTES + 5);
  await readBuildFolder(folder.path);
  await assert.rejects(verifyBuildFolder(folder.path), {
    code: 'artefact_wrong_hash',
    field: 'root.squashfs',
    message: /piece 2 of 3 \(from byte 1048576\) differs/,
  });
});

test('what machines fetch from each other tells the infohash of its swarm', async () => {
  await using folder = await buildFolder();
  const { manifest } = await readBuildFolder(folder.path);
  for (const { role, infohash } of manifest.artefacts)
    assert.equal(infohash !== undefined, role === 'root', role);
  await verifyBuildFolder(folder.path);
});

test('an infohash of something else is refused, and none is needed', async () => {
  await using folder = await buildFolder();
  const file = join(folder.path, 'manifest.json');
  const manifest = Manifest.parse(JSON.parse(await readFile(file, 'utf8')));
  const rewrite = (change: (root: Artefact) => Artefact): Promise<void> =>
    writeFile(
      file,
      JSON.stringify({
        ...manifest,
        artefacts: manifest.artefacts.map((artefact) =>
          artefact.role === 'root' ? change(artefact) : artefact,
        ),
      }),
    );
  await rewrite((root) => ({ ...root, infohash: '0'.repeat(40) }));
  await assert.rejects(verifyBuildFolder(folder.path), { code: 'manifest_invalid', message: /infohash/ });
  // As releases were that are older than swarms.
  await rewrite(({ infohash: _, ...root }) => root);
  await verifyBuildFolder(folder.path);
});

test('a truncated artefact is refused without reading it', async () => {
  await using folder = await buildFolder();
  await truncate(join(folder.path, 'root.squashfs'), PIECE_BYTES);
  await assert.rejects(readBuildFolder(folder.path), {
    code: 'artefact_wrong_length',
    message: 'root.squashfs has 1048576 bytes where the manifest says 2097153',
  });
});

test('a missing artefact is named', async () => {
  await using folder = await buildFolder();
  await rm(join(folder.path, 'initrd.img'));
  await assert.rejects(readBuildFolder(folder.path), { code: 'artefact_missing', field: 'initrd.img' });
});

test('a manifest that is absent, broken or of another shape is refused', async () => {
  await using folder = await buildFolder();
  const file = join(folder.path, 'manifest.json');
  const manifest = JSON.parse(await readFile(file, 'utf8'));
  await writeFile(file, JSON.stringify({ ...manifest, name: '../etc' }));
  await assert.rejects(readBuildFolder(folder.path), { code: 'manifest_invalid', field: 'name' });
  await writeFile(file, '{');
  await assert.rejects(readBuildFolder(folder.path), { code: 'manifest_unreadable' });
  await rm(file);
  await assert.rejects(readBuildFolder(folder.path), { code: 'manifest_unreadable' });
});
