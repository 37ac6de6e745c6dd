import assert from 'node:assert/strict';
import { mkdir, mkdtempDisposable, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { TreeIndex } from '@bootswarm/images/format';
import { verifyBuildFolder } from '../build-folder.ts';
import { writeClassicInitramfs } from './classic.ts';
import { type ImportOptions, importImage } from './import-image.ts';
import { initramfsPaths } from './initramfs.ts';
import { kernelHead, plainInitramfs, squashfsHead, writeFiles } from './testing/medium-bytes.ts';

/** What needs no other program. Media in ISOs, and roots that are file systems: test/boot/import-media.test.ts. */
const INSTALLER = {
  'install.amd/vmlinuz': kernelHead('amd64'),
  'install.amd/initrd.gz': plainInitramfs('init'),
  'dists/bookworm/Release': 'Suite: bookworm',
  'isolinux/txt.cfg':
    'label install\n kernel /install.amd/vmlinuz\n append vga=788 initrd=/install.amd/initrd.gz --- quiet\n',
};

async function medium(files: Readonly<Record<string, string | Buffer>> = INSTALLER) {
  const base = await mkdtempDisposable(join(tmpdir(), 'bootswarm-test-'));
  const source = join(base.path, 'medium');
  await writeFiles(source, files);
  const outFolder = join(base.path, 'out');
  const options: ImportOptions = {
    ...{ name: 'imported', version: '1', architecture: 'amd64' },
    ...{ source, outFolder, kernelArguments: ['console=ttyS0'] },
  };
  return { base, outFolder, options };
}

test('an installer becomes kernel, initramfs and its tree with an index', async () => {
  const { base, outFolder, options } = await medium();
  await using _ = base;
  const { manifest, taken, menuArguments, notes } = await importImage(options);
  assert.deepEqual(
    [manifest.bootStyle, manifest.kernelArguments, notes],
    ['installer', ['quiet', 'console=ttyS0'], []],
  );
  assert.deepEqual(taken, { kernel: 'install.amd/vmlinuz', initramfs: 'install.amd/initrd.gz' });
  assert.deepEqual(menuArguments.left, ['vga=788', 'initrd=/install.amd/initrd.gz']);
  assert.deepEqual(
    manifest.artefacts.map(({ role, name }) => `${role} ${name}`),
    ['kernel vmlinuz', 'initramfs initrd.img', 'tree tree.tar', 'tree-index tree-index.json'],
  );
  const index = TreeIndex.parse(JSON.parse(await readFile(join(outFolder, 'tree-index.json'), 'utf8')));
  const release = index.files.find(({ path }) => path === 'dists/bookworm/Release');
  const tree = await readFile(join(outFolder, 'tree.tar'), 'utf8');
  assert.equal(tree.substr(release?.offset ?? 0, release?.length), 'Suite: bookworm');
  assert.deepEqual((await verifyBuildFolder(outFolder)).manifest, manifest);
});

test('an installer without packages says that it needs a mirror', async () => {
  const { base, options } = await medium({
    'debian-installer/amd64/linux': kernelHead('amd64'),
    'debian-installer/amd64/initrd.gz': plainInitramfs('init'),
  });
  await using _ = base;
  const { manifest, notes } = await importImage(options);
  assert.deepEqual(
    manifest.artefacts.map(({ role }) => role),
    ['kernel', 'initramfs'],
  );
  assert.match(notes[0] ?? '', /needs a mirror/);
});

test('a folder that is there is kept, unless it is to be replaced', async () => {
  const { base, outFolder, options } = await medium();
  await using _ = base;
  await mkdir(outFolder);
  await writeFile(join(outFolder, 'precious'), '');
  await assert.rejects(importImage(options), { code: 'out_exists' });
  assert.deepEqual(await readdir(outFolder), ['precious']);
  await importImage({ ...options, replace: true });
  assert.ok(!(await readdir(outFolder)).includes('precious'));
});

const LIVE = {
  'live/vmlinuz': kernelHead('amd64'),
  'live/initrd.img': plainInitramfs('lib/live/boot/9990-mount-http.sh', 'bin/wget'),
  'live/filesystem.squashfs': squashfsHead(),
};

const REFUSED: readonly {
  readonly what: string;
  readonly files: Readonly<Record<string, string | Buffer>>;
  readonly options?: Partial<ImportOptions>;
  readonly expected: { code: string; field?: string; message?: RegExp };
}[] = [
  {
    what: 'a name that is none',
    files: INSTALLER,
    options: { name: 'Not A Name' },
    expected: { code: 'manifest_invalid', field: 'name' },
  },
  {
    what: 'a kernel for another architecture',
    files: { ...INSTALLER, 'install.amd/vmlinuz': kernelHead('arm64') },
    expected: {
      code: 'kernel_other_architecture',
      field: 'architecture',
      message: /install\.amd\/vmlinuz is a kernel for arm64, .* for amd64/,
    },
  },
  {
    what: 'a kernel for 32-bit x86',
    files: { ...INSTALLER, 'install.amd/vmlinuz': kernelHead('i386') },
    expected: { code: 'kernel_not_64_bit' },
  },
  {
    what: 'a kernel that is none',
    files: { ...LIVE, 'live/vmlinuz': 'text' },
    expected: { code: 'kernel_not_one', field: 'kernel' },
  },
  {
    what: 'a root that is no squashfs',
    files: { ...LIVE, 'live/filesystem.squashfs': 'text' },
    expected: { code: 'root_not_squashfs', field: 'root' },
  },
  {
    what: 'a root that is an EROFS',
    files: {
      ...LIVE,
      'live/filesystem.squashfs': Buffer.concat([Buffer.alloc(1024), Buffer.from('e2e1f5e0', 'hex')]),
    },
    expected: { code: 'root_erofs', field: 'root' },
  },
  {
    what: 'an initramfs that cannot fetch',
    files: { ...LIVE, 'live/initrd.img': plainInitramfs('scripts/live', 'bin/wget') },
    expected: { code: 'initramfs_cannot', message: /lacks lib\/live\/boot\/9990-mount-http\.sh/ },
  },
  {
    what: 'an initramfs of no live system',
    files: { vmlinuz: kernelHead('amd64'), initrd: plainInitramfs('init'), 'root.squashfs': squashfsHead() },
    expected: { code: 'import_style_unclear' },
  },
  {
    what: 'a path that is not there',
    files: LIVE,
    options: { paths: { kernel: 'live/vmlinux' } },
    expected: { code: 'import_no_such_file', field: 'kernel' },
  },
  {
    what: 'nothing that is known',
    files: { README: 'x' },
    expected: { code: 'import_unknown', message: /top: README/ },
  },
  {
    what: 'a classic pair of an installer',
    files: INSTALLER,
    options: { classic: true },
    expected: { code: 'classic_impossible' },
  },
];

for (const { what, files, options: more, expected } of REFUSED) {
  test(`refused, and nothing left: ${what}`, async () => {
    const { base, options } = await medium(files);
    await using _ = base;
    await assert.rejects(importImage({ ...options, ...more }), expected);
    assert.deepEqual(await readdir(base.path), ['medium']);
  });
}

test('refused, and nothing left: a link that leads out, a stop, no medium', async () => {
  const { base, options } = await medium({ ...LIVE, 'live/vmlinuz': '' });
  await using _ = base;
  await symlink('/etc/passwd', join(base.path, 'medium/live/secret'));
  const refuse = (more: Partial<ImportOptions>, expected: object) =>
    assert.rejects(importImage({ ...options, ...more }), expected);
  await refuse(
    { paths: { root: 'live/secret' } },
    { code: 'import_link_outside', message: /live\/secret .* leads out of/ },
  );
  await refuse({ signal: AbortSignal.abort() }, { name: 'AbortError' });
  await refuse({ source: join(base.path, 'absent') }, { code: 'import_unreadable', field: 'source' });
  assert.deepEqual(await readdir(base.path), ['medium']);
});

test('a classic initramfs is the one that was, and an archive with the root behind it', async () => {
  await using base = await mkdtempDisposable(join(tmpdir(), 'bootswarm-test-'));
  // Odd lengths: each archive must begin at a multiple of four.
  const [initramfs, root] = [
    Buffer.concat([plainInitramfs('init'), Buffer.alloc(3)]),
    Buffer.from('hsqs and 5'),
  ];
  await writeFiles(base.path, { initramfs, root });
  const at = (name: string, length: number) => ({ file: join(base.path, name), offset: 0, length });
  const to = join(base.path, 'classic');
  await writeClassicInitramfs(
    at('initramfs', initramfs.length),
    at('root', root.length),
    'a/live/root.squashfs',
    to,
  );
  const written = await readFile(to);
  assert.equal(written.length % 4, 0);
  assert.ok(written.includes(root));
  const names = await initramfsPaths({ file: to, offset: 0, length: written.length }, to);
  assert.deepEqual([...names], ['init', 'a', 'a/live', 'a/live/root.squashfs']);
});
