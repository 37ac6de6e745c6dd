import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { NotStarted, runProgram } from './run-program.ts';

const own = new URL('./run-program.ts', import.meta.url).href;
const signal = new AbortController().signal;

describe('a program that is run', () => {
  const folder = mkdtempSync(join(tmpdir(), 'bootswarm-run-'));
  after(() => rmSync(folder, { recursive: true }));
  const script = (text: string): string => {
    const file = join(folder, 'script');
    writeFileSync(file, `#!/bin/sh\n${text}\n`, { mode: 0o755 });
    return file;
  };
  const run = (program: string, timeoutMs = 10_000) =>
    runProgram({ program, arguments: [], env: {}, timeoutMs, signal });

  test('ends with its own code, also with one that setpriv has', async () => {
    for (const code of [0, 1, 126, 127]) {
      const end = await run(script(`echo out; echo err >&2; exit ${code}`));
      assert.deepEqual(end, { code, stdout: 'out\n', stderr: 'err\n' });
    }
  });

  test('is ended at its time, with what it started', async () => {
    const pids = join(folder, 'pids');
    const end = await run(script(`sleep 60 & echo $$ $! > ${pids}; wait`), 500);
    assert.equal(end.code, null);
    for (const pid of readFileSync(pids, 'utf8').trim().split(' ')) await gone(Number(pid));
  });

  test('that is not there, or may not be run, was not started', async () => {
    const plain = join(folder, 'plain');
    writeFileSync(plain, '');
    chmodSync(plain, 0o644);
    await assert.rejects(run(join(folder, 'missing')), new NotStarted('No such file or directory'));
    await assert.rejects(run(plain), new NotStarted('Permission denied'));
  });

  test('does not outlive a controller that is killed', async () => {
    const program = script('echo $$ > "$PID_FILE"; exec sleep 60');
    const pidFile = join(folder, 'pid');
    const call = { program, arguments: [], env: { PID_FILE: pidFile }, timeoutMs: 60_000 };
    const source = `import { runProgram } from '${own}';
      await runProgram({ ...${JSON.stringify(call)}, signal: new AbortController().signal });`;
    const controller = spawn(process.execPath, ['--input-type=module', '--eval', source], {
      stdio: 'ignore',
    });
    const pid = await written(pidFile);
    assert.ok(isAlive(pid));
    controller.kill('SIGKILL');
    await once(controller, 'exit');
    await gone(pid);
  });
});

async function written(file: string): Promise<number> {
  for (;;) {
    const pid = Number(readFileSync(file, { encoding: 'utf8', flag: 'a+' }));
    if (pid > 0) return pid;
    await sleep(20);
  }
}

function isAlive(pid: number): boolean {
  try {
    // A zombie that nobody has waited for is dead as well.
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

/** @throws AssertionError where it is still there after 5 s. */
async function gone(pid: number): Promise<void> {
  for (const end = performance.now() + 5000; isAlive(pid) && performance.now() < end; ) await sleep(20);
  assert.equal(isAlive(pid), false, `process ${pid} is still there`);
}
