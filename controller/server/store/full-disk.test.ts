import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { LmdbStore } from './lmdb-store.ts';

test('writes that the disk refuses fail their commits alone: no process ends and nothing is lost', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'bootswarm-full-'));
  const script = fileURLToPath(new URL('../testing/fill-store.ts', import.meta.url));
  const { stdout } = await promisify(execFile)('prlimit', [
    '--fsize=400000',
    process.execPath,
    script,
    folder,
  ]);
  const { stored, readable } = JSON.parse(stdout);
  assert.ok(stored > 0);
  assert.equal(readable, stored);
  const store = LmdbStore.open(folder);
  assert.equal((await store.list('key')).length, stored);
  assert.deepEqual(await store.commit({ put: { more: 1 } }), { ok: true, revision: stored + 1 });
  await store.close();
  await rm(folder, { recursive: true });
});
