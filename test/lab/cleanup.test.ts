import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Lab } from './index.ts';

const OWNER = fileURLToPath(new URL('fixtures/lab-owner.ts', import.meta.url));

interface Owned {
  readonly id: string;
  readonly folder: string;
  /** Of a process that ignores every polite signal, as a hung QEMU does. */
  readonly pid: number;
}

async function startOwner(ending: 'wait' | 'throw' | 'exit'): Promise<[ChildProcess, Owned]> {
  const owner = spawn(process.execPath, [OWNER, ending], { stdio: ['ignore', 'pipe', 'ignore'] });
  const [line] = await once(createInterface(owner.stdout), 'line');
  return [owner, JSON.parse(line)];
}

function assertGone({ id, folder, pid }: Owned): void {
  const namespaces = readdirSync('/run/netns').filter((name) => name.startsWith(id));
  assert.deepEqual(namespaces, []);
  assert.equal(existsSync(folder), false);
  // Killed orphans may stay in the table of processes until init reaps them, but hold nothing any more.
  assert.equal(existsSync(`/proc/${pid}/exe`), false);
}

test('a disposed lab leaves nothing', async () => {
  const lab = await Lab.create('disposed');
  await lab.addSegment({ relay: 'dhcrelay' });
  const sleeper = await lab.core.start(['sleep', '600']);
  const owned = { id: lab.id, folder: lab.folder, pid: sleeper.pid };
  assert.equal(existsSync(lab.folder), true);
  await lab[Symbol.asyncDispose]();
  assertGone(owned);
});

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  test(`an owner that gets ${signal} removes its lab and ends with that signal`, async () => {
    const [owner, owned] = await startOwner('wait');
    owner.kill(signal);
    const [, endedBy] = await once(owner, 'exit');
    assert.equal(endedBy, signal);
    assertGone(owned);
  });
}

for (const ending of ['throw', 'exit'] as const) {
  test(`an owner that ends by ${ending} removes its lab`, async () => {
    const [owner, owned] = await startOwner(ending);
    if (owner.exitCode === null) await once(owner, 'exit');
    assertGone(owned);
  });
}

test('the lab of a killed owner is swept by another process, that of a living one is not', async () => {
  const [living, livingLab] = await startOwner('wait');
  const [killed, killedLab] = await startOwner('wait');
  killed.kill('SIGKILL');
  await once(killed, 'exit');
  assert.equal(existsSync(`/proc/${killedLab.pid}/exe`), true, 'the process outlives its owner');

  assert.ok(Lab.sweep().includes(killedLab.id));
  assertGone(killedLab);
  assert.equal(existsSync(livingLab.folder), true);

  living.kill('SIGTERM');
  await once(living, 'exit');
});

test('nothing of these labs is left', () => {
  const mine = (name: string) => name.startsWith(`bswlab-${process.pid}-`);
  assert.deepEqual([...readdirSync('/run/netns'), ...readdirSync(tmpdir())].filter(mine), []);
});
