import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { runReader } from './reader.ts';

const read = (command: string, ...words: string[]) =>
  runReader({ command, arguments: words, package: 'some-package', source: 'x.iso' });

test('a reader gives what it printed, and its own words where it fails', async () => {
  assert.equal(await read('echo', 'here'), 'here\n');
  await assert.rejects(read('sh', '-c', 'echo first >&2; echo the reason >&2; exit 3'), {
    code: 'tool_failed',
    message: 'sh could not read x.iso: the reason',
  });
  await assert.rejects(read('no-such-reader'), {
    code: 'tool_missing',
    remedy: 'Install it: apt install some-package',
  });
});

test('a reader that stops reading early is no failure, and one can be stopped', async () => {
  const endless = Readable.from(
    (function* () {
      for (;;) yield Buffer.alloc(65536);
    })(),
  );
  const options = { package: 'coreutils', source: 'x' };
  const head = await runReader({ ...options, command: 'head', arguments: ['-c', '3'], input: endless });
  assert.equal(head, '\0\0\0');
  const stop = new AbortController();
  setTimeout(() => stop.abort(new Error('stopped by hand')), 50);
  await assert.rejects(
    runReader({ ...options, command: 'sleep', arguments: ['60'], signal: stop.signal }),
    /stopped by hand/,
  );
});

test('a reader cannot take all memory', async () => {
  await assert.rejects(read('dd', 'if=/dev/zero', 'of=/dev/null', 'bs=5G', 'count=1'), {
    code: 'tool_failed',
    message: /memory exhausted/,
  });
});
