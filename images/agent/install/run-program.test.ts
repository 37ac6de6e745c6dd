import assert from 'node:assert/strict';
import { test } from 'node:test';
import { programs } from './run-program.ts';

const signal = new AbortController().signal;

test('a program is given its arguments and its input as they are, and its lines are told', async () => {
  const lines: string[] = [];
  const script = 'read line; echo "got $line and $1"; echo aside >&2';
  const { stdout } = await programs.run(['sh', '-c', script, 'sh', '$(false); `x`'], {
    what: 'try',
    stdin: 'a line\n',
    signal,
    say: (line) => lines.push(line),
  });
  assert.equal(stdout, 'got a line and $(false); `x`\n');
  assert.deepEqual(lines.toSorted(), ['aside', 'got a line and $(false); `x`']);
});

test('a failure tells what it was for, how it ended, and the last lines', async () => {
  const script = 'for i in 1 2 3 4 5 6 7 8; do echo line $i; done; exit 3';
  await assert.rejects(programs.run(['sh', '-c', script], { what: 'partition sda', signal }), {
    code: 'program_failed',
    message: /^partition sda: sh ended with code 3\. Its last lines: line 3 \| .* \| line 8$/,
  });
});

test('a program that is killed, or not there, is a failure of its own', async () => {
  await assert.rejects(programs.run(['sh', '-c', 'kill -9 $$'], { what: 'x', signal }), /signal SIGKILL/);
  await assert.rejects(programs.run(['no-such-program'], { what: 'x', signal }), { code: 'program_missing' });
});

test('codes that are said to be fine are', async () => {
  const done = await programs.run(['sh', '-c', 'exit 1'], { what: 'x', signal, fine: [1] });
  assert.equal(done.code, 1);
});

test('a program ends with the signal', async () => {
  const stop = new AbortController();
  const began = performance.now();
  const running = programs.run(['sleep', '60'], {
    what: 'x',
    signal: stop.signal,
    onStart: () => stop.abort(new Error('enough')),
  });
  await assert.rejects(running, /enough/);
  assert.ok(performance.now() - began < 10_000);
});

test('one that does not read its input, and one that says a lot, are no trouble', async () => {
  await programs.run(['true'], { what: 'x', stdin: 'x'.repeat(1 << 20), signal });
  const { stdout } = await programs.run(['sh', '-c', 'yes | head -c 9000000'], { what: 'x', signal });
  assert.ok(stdout.length >= 4 << 20 && stdout.length < 6 << 20);
});
