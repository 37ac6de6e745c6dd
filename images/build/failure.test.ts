import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildFailure } from './failure.ts';
import { progressOf } from './progress.ts';
import { parseRecipe } from './recipe.ts';

const recipe = parseRecipe('{ name: tiny, version: "1", suite: bookworm, packages: [vmi] }', 'tiny.yaml');

function failure(output: string) {
  return buildFailure({ tool: 'mmdebstrap', output, recipe, folder: '/srv/images', log: '/tmp/build.log' });
}

/** Output of mmdebstrap 1.3.5 and apt 2.6, shortened. */
const FAILURES: readonly (readonly [
  what: string,
  output: string,
  code: string,
  field: string | undefined,
  says: RegExp,
])[] = [
  [
    'a missing package',
    'E: Unable to locate package vmi\nE: setup failed: E: apt-get failed',
    'package_missing',
    'packages',
    /no package vmi in bookworm for amd64/,
  ],
  [
    'a missing kernel',
    "E: Package 'linux-image-amd64' has no installation candidate",
    'package_missing',
    'kernel',
    /linux-image-amd64/,
  ],
  [
    'a mirror without the suite',
    "E: The repository 'http://m/debian bookworm Release' does not have a Release file.\nE: apt-get update failed",
    'mirror_failed',
    undefined,
    /does not have a Release file/,
  ],
  ['a full disk', 'tar: ./usr: Cannot write: No space left on device', 'disk_full', undefined, /srv\/images/],
  [
    'a hook that fails',
    'I: running hook\nbootswarm: file /etc/motd\nbootswarm: hook greet\nsh: 1: wave: not found\nE: command failed',
    'step_failed',
    'hooks',
    /^hook greet failed in the new root:\nsh: 1: wave: not found$/,
  ],
  ['anything else', 'E: what now', 'build_failed', undefined, /^mmdebstrap failed:\nE: what now$/],
];

for (const [what, output, code, field, says] of FAILURES) {
  test(`${what} is named`, () => {
    const problem = failure(output);
    assert.deepEqual([problem.code, problem.field], [code, field]);
    assert.match(problem.message, says);
    assert.doesNotMatch(problem.message + problem.remedy, /[{}]/);
  });
}

test('lines of the tools become progress', () => {
  assert.deepEqual(progressOf('I: running apt-get update...'), {
    stage: 'packages',
    message: 'running apt-get update',
    fraction: 0.01,
  });
  assert.deepEqual(progressOf('bootswarm: hook greet'), { stage: 'configure', message: 'hook greet' });
  assert.deepEqual(progressOf('[=====-      ]  250/1000  25%'), { stage: 'squashfs', fraction: 0.25 });
  assert.equal(progressOf('Setting up libc6'), undefined);
});
