import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { Lab } from './index.ts';
import { Transcript } from './transcript.ts';

test('processes of a lab', async (t) => {
  await using lab = await Lab.create('process');

  await t.test('a command that fails is a result', async () => {
    const { code, stdout, stderr } = await lab.core.run(['sh', '-c', 'echo out; echo "$WORD" >&2; exit 3'], {
      env: { WORD: 'err' },
    });
    assert.deepEqual({ code, stdout, stderr }, { code: 3, stdout: 'out\n', stderr: 'err\n' });
  });

  await t.test('a wait that times out tells the log and its tail', async () => {
    const chatty = await lab.core.start(['sh', '-c', 'echo first; echo last; sleep 60'], { name: 'chatty' });
    assert.equal(await chatty.waitForLine(/^last$/, 5000), 'last');
    await assert.rejects(chatty.waitForLine(/never/, 50), /chatty.*core-chatty\.log.*\n {2}first\n {2}last/);
    assert.deepEqual(await chatty.kill9(), { code: null, signal: 'SIGKILL' });
    assert.equal(await readFile(chatty.logFile, 'utf8'), 'first\nlast\n');
  });

  await t.test('a wait fails at once when the process ends', async () => {
    const brief = await lab.core.start(['sh', '-c', 'echo partial; exit 2'], { name: 'brief' });
    await assert.rejects(brief.waitForLine(/never/, 60_000), /ended with code 2 before printing/);
  });

  await t.test('lines end with the process', async () => {
    const counter = await lab.core.start(['sh', '-c', 'echo 1; sleep 0.1; echo 2; printf 3']);
    const lines: string[] = [];
    for await (const line of counter.lines) lines.push(line);
    assert.deepEqual(lines, ['1', '2', '3']);
  });

  await t.test('a process that ignores SIGTERM is ended after its grace', async () => {
    const stubborn = await lab.core.start([
      'sh',
      '-c',
      'trap "" TERM; echo deaf; while :; do sleep 0.1; done',
    ]);
    await stubborn.waitForLine(/deaf/, 5000);
    assert.equal((await stubborn.stop('SIGTERM', 200)).signal, 'SIGKILL');
  });

  await t.test('a program that is not there', async () => {
    const absent = await lab.core.start(['no-such-program']);
    await assert.rejects(absent.waitForLine(/ready/, 5000), /No such file or directory/);
  });
});

test('a wait may begin at a place in the text', async () => {
  const console = new Transcript('console');
  console.append('login: \nrebooting\n');
  const from = console.text.length;
  const second = console.waitFor(/login: $/, 5000, from);
  console.append('log');
  console.append('in: ');
  assert.equal((await second).index, 0);
  await assert.rejects(console.waitFor(/login/, 20, console.text.length), /did not print/);
});
