import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempDisposable } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { holdFolder } from './hold-folder.ts';

const HOLDER = fileURLToPath(new URL('../testing/folder-holder.ts', import.meta.url));
const EDGE = fileURLToPath(new URL('../main.ts', import.meta.url));

const temporary = () => mkdtempDisposable(join(tmpdir(), 'bootswarm-hold-'));

test('one process at a time holds a data folder, and killing it frees the folder', async () => {
  await using folder = await temporary();
  const data = join(folder.path, 'data');
  const holder = spawn(process.execPath, [HOLDER, data], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(createInterface(holder.stdout), 'line');
  assert.throws(() => holdFolder(data), {
    code: 'data_in_use',
    message: new RegExp(`process ${holder.pid} `),
  });
  holdFolder(join(folder.path, 'other'))();
  holder.kill('SIGKILL');
  await once(holder, 'exit');

  const letGo = holdFolder(data);
  assert.throws(() => holdFolder(data), {
    code: 'data_in_use',
    message: new RegExp(`process ${process.pid} `),
  });
  letGo();
  holdFolder(data)();
});

test('an edge does not start over a data folder that another process holds', async () => {
  await using folder = await temporary();
  const letGo = holdFolder(folder.path);
  const argv = ['--controller', 'http://127.0.0.1:9', '--interface', 'lo', '--data', folder.path];
  const { status, stdout } = spawnSync(process.execPath, [EDGE, ...argv], {
    encoding: 'utf8',
    timeout: 60_000,
  });
  letGo();
  assert.equal(status, 1);
  assert.match(stdout, /"code":"data_in_use"/);
});
