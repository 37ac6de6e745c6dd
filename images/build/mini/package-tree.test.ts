import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, describe, test } from 'node:test';
import { isElf, needsOf } from './elf.ts';
import { mergedPath, PackageTree } from './package-tree.ts';

const root = mkdtempSync(join(tmpdir(), 'bootswarm-tree-'));
after(() => rmSync(root, { recursive: true }));
const put = (path: string, content: string | Uint8Array, mode = 0o644): void => {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), content, { mode });
};
put('sbin/lvm', 'lvm', 0o755);
symlinkSync('lvm', join(root, 'sbin/pvs'));
mkdirSync(join(root, 'usr/sbin'), { recursive: true });
symlinkSync('/sbin/lvm', join(root, 'usr/sbin/vgs'));
put('usr/lib/grub/i386-pc/a.mod', 'a');
put('usr/lib/grub/i386-pc/b.mod', 'b');
put('usr/lib/grub/i386-pc/c.img', 'c');
put('etc/mke2fs.conf', 'conf');
const tree = new PackageTree(root, 'x86_64-linux-gnu');

describe('what is taken of packages', () => {
  test('lies below /usr, wherever a package has it', async () => {
    const [lvm] = await tree.take('sbin/lvm');
    assert.equal(lvm?.path, 'usr/sbin/lvm');
    assert.equal(lvm?.kind === 'file' && lvm.executable, true);
    assert.equal(mergedPath('/lib64/ld-linux-x86-64.so.2'), 'usr/lib64/ld-linux-x86-64.so.2');
    assert.equal(mergedPath('/library/x'), 'library/x');
    assert.equal((await tree.take('/etc/mke2fs.conf'))[0]?.path, 'etc/mke2fs.conf');
  });

  test('of a link is also what it leads to, be it absolute or not', async () => {
    for (const path of ['sbin/pvs', 'sbin/vgs'])
      assert.deepEqual(
        (await tree.take(path)).map((entry) => [
          entry.path,
          entry.kind === 'link' ? entry.target : entry.kind,
        ]),
        [
          [`usr/${path}`, 'lvm'],
          ['usr/sbin/lvm', 'file'],
        ],
      );
  });

  test('by a pattern is all that matches', async () => {
    const taken = await tree.take('lib/grub/i386-pc/*.mod');
    assert.deepEqual(taken.map(({ path }) => path).toSorted(), [
      'usr/lib/grub/i386-pc/a.mod',
      'usr/lib/grub/i386-pc/b.mod',
    ]);
  });

  test('is refused by name where no package has it', async () => {
    await assert.rejects(tree.take('sbin/nothing'), /no package has \/usr\/sbin\/nothing/);
    await assert.rejects(tree.take('lib/grub/i386-pc/*.efi'), ReferenceError);
    await assert.rejects(tree.libraries([], ['libnothing.so.1']), /libnothing\.so\.1/);
  });
});

test("a program's libraries and its dynamic linker are read from itself", () => {
  // The Node that runs this: a program as Debian's are.
  const bytes = readFileSync(process.execPath);
  assert.ok(isElf(bytes));
  const { interpreter, libraries } = needsOf(bytes);
  assert.match(interpreter ?? '', /^\/lib.*\/ld-linux/);
  assert.ok(libraries.includes('libc.so.6'));
  assert.equal(isElf(Buffer.from('#!/bin/sh\n'.padEnd(100))), false);
});
