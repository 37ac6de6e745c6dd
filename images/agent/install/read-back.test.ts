import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { diskFailure } from './disk-failure.ts';
import { hashBoot, requireSame } from './read-back.ts';

const folder = mkdtempSync(join(tmpdir(), 'bootswarm-read-back-'));
after(() => rmSync(folder, { recursive: true }));

const disk = join(folder, 'disk');
const boot = join(folder, 'boot');
mkdirSync(join(boot, 'grub'), { recursive: true });
const hash = () =>
  hashBoot({ '/boot': boot }, { paths: [disk], headBytes: 4096 }, AbortSignal.timeout(5_000));

test('one byte of a file or of the head of a disk makes the difference, and what is behind the head none', async () => {
  writeFileSync(join(boot, 'grub/grub.cfg'), 'menu');
  writeFileSync(disk, Buffer.alloc(8192));
  const written = await hash();
  requireSame(written, await hash());

  writeFileSync(disk, Buffer.alloc(8192).fill(1, 4096));
  requireSame(written, await hash());
  writeFileSync(disk, Buffer.alloc(8192).fill(1, 4095, 4096));
  const head = await hash();
  assert.throws(() => requireSame(written, head), { code: 'read_back_differs', message: /the head of/ });
  writeFileSync(disk, Buffer.alloc(8192));
  writeFileSync(join(boot, 'grub/grub.cfg'), 'mend');
  const file = await hash();
  assert.throws(() => requireSame(written, file), {
    code: 'read_back_differs',
    message: /\/boot\/grub\/grub.cfg/,
  });
});

test('what a disk answers is told as its failure, and nothing else is', () => {
  const of = (code: string) => Object.assign(new Error(`${code}: it says, read`), { code });
  const { code, message } = diskFailure('reading /boot/vmlinuz', of('EIO')) as NodeJS.ErrnoException;
  assert.equal(code, 'disk_failed');
  assert.match(message, /reading \/boot\/vmlinuz.*EIO/);
  for (const other of [of('ENOSPC'), new Error('else')]) assert.equal(diskFailure('x', other), other);
});
