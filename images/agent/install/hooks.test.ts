import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runHooks } from './new-system.ts';

const signal = new AbortController().signal;

async function run(...scripts: readonly string[]): Promise<readonly string[]> {
  const said: string[] = [];
  await runHooks(scripts, 'before', undefined, (line) => said.push(line), signal);
  return said;
}

test('hooks run one after the other, by sh or by whom they name', async () => {
  const said = await run(
    'echo $((1 + 1)) "$0" | cut -c1-20',
    '#!/usr/bin/env node\nconsole.log(`by ${typeof process}`);\n',
  );
  assert.deepEqual(said, ['2 /tmp/bootswarm-hoo', 'by object']);
});

test('the first that fails ends them, and is named with its last lines', async () => {
  await assert.rejects(run('true', 'echo the reason; false; echo not reached', 'echo never'), {
    code: 'hook_failed',
    message: 'hook 2 before the installation ended with code 1. Its last lines: the reason',
  });
});
