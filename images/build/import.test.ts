import assert from 'node:assert/strict';
import { mkdir, mkdtempDisposable, readdir, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { verifyBuildFolder } from './build-folder.ts';
import { chooseArtefacts, importFolder } from './import.ts';

const LIVE = ['vmlinuz', 'initrd.img', 'filesystem.squashfs'];

/** A folder with a live system of a few bytes, and the options to import it to `out` beside it. */
async function liveSystem(names: readonly string[], inside = 'live') {
  const base = await mkdtempDisposable(join(tmpdir(), 'bootswarm-test-'));
  const folder = join(base.path, 'iso');
  await mkdir(join(folder, inside), { recursive: true });
  for (const name of names) await writeFile(join(folder, inside, name), `bytes of ${name}`);
  const outFolder = join(base.path, 'out');
  const release = { name: 'debian-live', version: '12', architecture: 'amd64' } as const;
  return { base, outFolder, options: { ...release, folder, outFolder, kernelArguments: ['quiet'] } };
}

test('a live ISO becomes a build folder', async () => {
  const { base, outFolder, options } = await liveSystem(LIVE);
  await using _ = base;
  const manifest = await importFolder(options);
  assert.deepEqual(manifest.kernelArguments, ['boot=live', 'quiet']);
  assert.deepEqual((await readdir(outFolder)).sort(), [
    'initrd.img',
    'manifest.json',
    'root.squashfs',
    'vmlinuz',
  ]);
  assert.equal(await readFile(join(outFolder, 'root.squashfs'), 'utf8'), 'bytes of filesystem.squashfs');
  assert.deepEqual((await verifyBuildFolder(outFolder)).manifest, manifest);
});

test('the three files may lie at the top', async () => {
  const { base, options } = await liveSystem(LIVE, '.');
  await using _ = base;
  assert.equal((await importFolder(options)).artefacts.length, 3);
});

test('a folder that is there is kept, unless it is to be replaced', async () => {
  const { base, outFolder, options } = await liveSystem(LIVE);
  await using _ = base;
  await mkdir(outFolder);
  await writeFile(join(outFolder, 'precious'), '');
  await assert.rejects(importFolder(options), { code: 'out_exists' });
  assert.deepEqual(await readdir(outFolder), ['precious']);
  await importFolder({ ...options, replace: true });
  assert.ok(!(await readdir(outFolder)).includes('precious'));
});

test('a refused import leaves nothing behind', async () => {
  const { base, options } = await liveSystem(LIVE);
  await using _ = base;
  await assert.rejects(importFolder({ ...options, name: 'Not A Name' }), {
    code: 'manifest_invalid',
    field: 'name',
  });
  await assert.rejects(importFolder({ ...options, signal: AbortSignal.abort() }), { name: 'AbortError' });
  await assert.rejects(importFolder({ ...options, folder: join(base.path, 'absent') }), {
    code: 'import_unreadable',
  });
  assert.deepEqual(await readdir(base.path), ['iso']);
});

test('names of live systems are recognised', () => {
  const choose = (...names: string[]) => Object.values(chooseArtefacts(names, 'iso'));
  assert.deepEqual(
    choose('vmlinuz-6.1.0-9-amd64', 'initrd.img-6.1.0-9-amd64', 'filesystem.squashfs', 'config-6.1'),
    ['vmlinuz-6.1.0-9-amd64', 'initrd.img-6.1.0-9-amd64', 'filesystem.squashfs'],
  );
  assert.deepEqual(
    choose('vmlinuz', 'vmlinuz-6.1', 'initrd', 'initrd.img-6.1', 'root.squashfs', 'extra.squashfs'),
    ['vmlinuz', 'initrd', 'root.squashfs'],
  );
});

test('what is missing or ambiguous is named', () => {
  assert.throws(() => chooseArtefacts(['vmlinuz', 'initrd.img'], 'iso'), {
    code: 'import_missing',
    field: 'root',
    message: 'there is no root file system in iso; looked for *.squashfs',
  });
  assert.throws(() => chooseArtefacts(['vmlinuz-6.1', 'vmlinuz-6.2', 'initrd.img', 'a.squashfs'], 'iso'), {
    code: 'import_ambiguous',
    field: 'kernel',
    message: /vmlinuz-6\.1, vmlinuz-6\.2$/,
  });
});
