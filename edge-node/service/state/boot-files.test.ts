import assert from 'node:assert/strict';
import { mkdtempDisposable, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { BootFiles } from './boot-files.ts';

async function untilHeld(files: BootFiles, sha256: string, path: string): Promise<Uint8Array> {
  for (;;) {
    const bytes = files.bytesOf(sha256, path);
    if (bytes) return bytes;
    await sleep(5);
  }
}

test('the first who asks makes a file come into memory, where it stays', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'bootswarm-boot-files-'));
  const path = join(folder.path, 'vmlinuz');
  await writeFile(path, 'kernel');
  const files = new BootFiles();
  assert.equal(files.bytesOf('a', path), undefined);
  assert.equal(Buffer.from(await untilHeld(files, 'a', path)).toString(), 'kernel');
  assert.equal(files.bytesOf('a', path), files.bytesOf('a', path));
});

test('what finds no room is left on the disk, until others are forgotten', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'bootswarm-boot-files-'));
  const [one, two] = [join(folder.path, 'one'), join(folder.path, 'two')];
  await writeFile(one, '12345678');
  await writeFile(two, '12345678');
  const files = new BootFiles(10);
  await untilHeld(files, 'one', one);
  files.bytesOf('two', two);
  await sleep(50);
  assert.equal(files.bytesOf('two', two), undefined);
  files.keepOnly(new Set());
  await untilHeld(files, 'two', two);
});

test('a file that cannot be read may be asked for again', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'bootswarm-boot-files-'));
  const path = join(folder.path, 'late');
  const files = new BootFiles();
  assert.equal(files.bytesOf('late', path), undefined);
  await sleep(50);
  await writeFile(path, 'now');
  assert.equal(Buffer.from(await untilHeld(files, 'late', path)).toString(), 'now');
});
