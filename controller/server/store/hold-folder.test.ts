import assert from 'node:assert/strict';
import { mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { holdFolder } from './hold-folder.ts';

test('a folder is held once, by whatever path, until it is let go', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'bootswarm-hold-'));
  const other = await mkdtemp(join(tmpdir(), 'bootswarm-hold-'));
  const link = join(other, 'link');
  await symlink(folder, link);
  const letGo = await holdFolder(folder);
  const letOtherGo = await holdFolder(other);
  for (const path of [folder, link]) await assert.rejects(holdFolder(path), { code: 'EADDRINUSE' });
  letGo();
  (await holdFolder(link))();
  letOtherGo();
  for (const path of [folder, other]) await rm(path, { recursive: true });
});
