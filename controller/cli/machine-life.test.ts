import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Site } from './testing/site.ts';

const MAC = '52:54:00:12:34:56';
let site: Site;

before(async () => {
  site = await Site.start({ trust: false });
});
after(() => site[Symbol.asyncDispose]());

const machine = (...args: readonly string[]) => site.run('machine', ...args);

test('an operator moves a machine, and reads how it came to its state', async () => {
  await machine('boot', MAC, 'local');
  const said = await machine('state', MAC, '--to', 'active', '--reason', 'installed by hand');
  assert.match(said.stdout, /^Machine m-\w+ is active\n$/);
  assert.match((await machine('maintenance', MAC, 'on', '--reason', 'a fan')).stdout, / is maintenance\n$/);
  assert.match((await machine('maintenance', MAC, 'off', '--reason', 'new fan')).stdout, / is active\n$/);
  const released = await machine('release', MAC, '--method', 'overwrite');
  assert.match(released.stdout, / is wiping; all its disks are wiped at its next boot\n$/);
  assert.match((await machine('list')).stdout, /^m-\w+ .* wiping /m);
  assert.match((await machine('show', MAC)).stdout, /^fails at: +2.*Z, unless something is heard/m);
  const history = await machine('history', MAC);
  assert.match(history.stdout, /^AT +FROM +TO +BY +CAUSE +WHY\n.* active +wiping +operator +- +released\n/);
  await machine('state', MAC, '--to', 'failed', '--reason', 'smoke');
  assert.match((await machine('show', MAC)).stdout, /^state: +failed: set_by_operator since /m);
});

test('what is no state, or may not be said without a reason, is refused with what may', async () => {
  const wrong = await machine('state', MAC, '--to', 'installing', '--reason', 'x');
  assert.deepEqual([wrong.code, wrong.stdout], [1, '']);
  assert.match(wrong.stderr, /--to: 'installing' is no state that can be said: one of .*available/);
  assert.match((await machine('state', MAC, '--to', 'active')).stderr, /required option '--reason/);
  assert.match((await machine('maintenance', MAC, 'maybe', '--reason', 'x')).stderr, /neither on nor off/);
  assert.match((await machine('release', MAC, '--method', 'hammer')).stderr, /--method: 'hammer' is none of/);
});
