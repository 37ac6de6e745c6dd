import assert from 'node:assert/strict';
import { mkdir, mkdtempDisposable, readdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Program } from './testing/program.ts';

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
