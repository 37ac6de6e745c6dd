import assert from 'node:assert/strict';
import { mkdir, mkdtempDisposable, readdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Program } from './testing/program.ts';
import { Site } from './testing/site.ts';

/** An installer of a few bytes: it needs no other program to be imported. */
async function installer() {
  const base = await mkdtempDisposable(join(tmpdir(), 'bootswarm-test-'));
  const folder = join(base.path, 'install.amd');
  await mkdir(folder);
  const kernel = Buffer.alloc(1024);
  kernel.write('HdrS', 0x202, 'latin1');
  kernel.writeUInt16LE(0x20f, 0x206);
  kernel.writeUInt16LE(1, 0x236);
  await writeFile(join(folder, 'vmlinuz'), kernel);
  // Two entries of a cpio archive: `init`, and the one that ends it.
  const entry = (name: string, bytes: number): string => {
    const fields = [0, 0o100644, 0, 0, 1, 0, 0, 0, 0, 0, 0, name.length + 1, 0];
    return `070701${fields.map((value) => value.toString(16).padStart(8, '0')).join('')}${name}`.padEnd(
      bytes,
      '\0',
    );
  };
  await writeFile(join(folder, 'initrd.gz'), entry('init', 116) + entry('TRAILER!!!', 124));
  const out = join(base.path, 'out');
  const run = (...more: string[]) =>
    new Program(
      'cli/main.ts',
      ['image', 'import', base.path, '--name', 'd-i', '--version', '12', '--out', out, ...more],
      {},
    );
  return { base, out, run };
}

test('an import tells what the medium was taken for, and how to go on', async () => {
  const { base, out, run } = await installer();
  await using _ = base;
  await using importing = run('--kernel-argument', 'auto=true');
  const { code, stdout, stderr } = await importing.done;
  assert.equal(code, 0, stderr);
  assert.match(stdout, /^taken for: +an installer of Debian\nkernel: +install\.amd\/vmlinuz$/m);
  assert.match(stdout, /^kernel arguments: +auto=true$/m);
  assert.match(stdout, /^note: No packages are on this medium/m);
  assert.match(stdout, /Publish it with: bootswarm image publish .*out$/m);
  assert.deepEqual((await readdir(out)).sort(), ['initrd.img', 'manifest.json', 'vmlinuz']);
});

test('what was not understood is named, and a wrong option is refused before anything is read', async () => {
  const { base, run } = await installer();
  await using _ = base;
  await using live = run('--boot-style', 'live-boot');
  const { code, stderr } = await live.done;
  assert.equal(code, 1);
  assert.match(stderr, /has no layout that is known here\. Found at its top: install\.amd\/\. Looked for:/);
  assert.match(stderr, /what to do: Name the three files with --kernel/);
  await using digits = run('--sha256', 'abc');
  assert.match((await digits.done).stderr, /It must be 64 hexadecimal digits/);
});

test('the image of a disk is published and installed by a profile, and boots nothing', async () => {
  await using site = await Site.start();
  const disk = Buffer.alloc(2 ** 20);
  disk.writeUInt16LE(0xaa55, 510);
  const [source, out] = [join(site.folder, 'cloud.img'), join(site.folder, 'cloud')];
  await writeFile(source, disk);
  const ok = async (...args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await site.run(...args);
    assert.equal(code, 0, stderr);
    return stdout;
  };
  const told = await ok('image', 'import', source, '--name', 'cloud', '--version', '12', '--out', out);
  assert.match(told, /^taken for: +a disk image$/m);
  await ok('image', 'publish', out);
  const mac = '52:54:00:00:00:01';
  const refused = await site.run('machine', 'boot', mac, 'live', 'cloud/12/amd64');
  assert.match(refused.stderr, /release cloud\/12\/amd64 is a disk image.*\n.*what to do: Install it/);
  const profile = join(site.folder, 'cloud.yaml');
  await writeFile(
    profile,
    'name: cloud\nkind: image\nrelease: cloud/12/amd64\nlayout: { disks: [{ serial: A }] }\n',
  );
  await ok('profile', 'apply', profile);
  await ok('machine', 'boot', mac, 'install', 'cloud');
});
