import assert from 'node:assert/strict';
import { mkdtempDisposable, readdir, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { verifyBuildFolder } from '../build-folder.ts';
import { type ImportOptions, importImage } from './import-image.ts';

const MIB = 2 ** 20;
/** As far as its first sector says so. */
const disk = Buffer.from(Uint8Array.from({ length: 3 * MIB + 512 }, (_, at) => (at >> 9) % 251));
disk.writeUInt16LE(0xaa55, 510);

async function imported(content: Uint8Array, more: Partial<ImportOptions> = {}) {
  const base = await mkdtempDisposable(join(tmpdir(), 'bootswarm-test-'));
  const source = join(base.path, 'disk.img');
  await writeFile(source, content);
  const outFolder = join(base.path, 'out');
  const options: ImportOptions = {
    ...{ name: 'cloud', version: '1', architecture: 'amd64', source, outFolder, kernelArguments: [] },
    ...more,
  };
  return { base, source, outFolder, run: () => importImage(options) };
}

for (const [name, content] of [
  ['raw', disk],
  ['under zstd', zstdCompressSync(disk)],
] as const)
  test(`an image of a disk that is ${name} becomes a release of it alone`, async () => {
    const { base, source, outFolder, run } = await imported(content);
    await using _ = base;
    const { manifest, layout, notes } = await run();
    assert.deepEqual([manifest.bootStyle, layout], ['disk-image', 'a disk image']);
    assert.deepEqual(
      manifest.artefacts.map(({ role }) => role),
      ['disk'],
    );
    assert.match(notes[0] ?? '', new RegExp(`a disk of ${disk.length} bytes`));
    assert.ok(zstdDecompressSync(await readFile(join(outFolder, 'disk.raw.zst'))).equals(disk));
    assert.deepEqual((await verifyBuildFolder(outFolder)).manifest, manifest);
    assert.ok((await readFile(source)).equals(content), 'what is imported stays');
  });

test('what is no image of a disk, or a broken one, is refused by name, and leaves nothing', async () => {
  const packed = zstdCompressSync(disk);
  const cases: readonly (readonly [string, Uint8Array, Partial<ImportOptions>?])[] = [
    ['disk_image_format', Buffer.concat([Buffer.from('QFI\xfb', 'latin1'), Buffer.alloc(512)])],
    ['disk_image_not_one', zstdCompressSync(Buffer.alloc(MIB))],
    ['disk_image_not_one', zstdCompressSync(Buffer.from('short'))],
    ['disk_image_broken', packed.subarray(0, packed.length - 20)],
    ['disk_image_options', disk, { classic: true }],
    ['disk_image_options', disk, { kernelArguments: ['quiet'] }],
  ];
  for (const [code, content, more] of cases) {
    const { base, run } = await imported(content, more);
    await using _ = base;
    await assert.rejects(run(), { code });
    assert.deepEqual(await readdir(base.path), ['disk.img']);
  }
});
