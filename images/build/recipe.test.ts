import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { Problem } from '@bootswarm/images/format';
import { parseRecipe, readRecipe } from './recipe.ts';

const HEAD = ['name: tiny', 'version: "1.0"', 'suite: bookworm'];

function parse(...lines: string[]) {
  return parseRecipe([...HEAD, ...lines].join('\n'), 'tiny.yaml');
}

function refusal(...lines: string[]): Problem {
  try {
    parse(...lines);
  } catch (error) {
    if (error instanceof Problem) return error;
    throw error;
  }
  throw new assert.AssertionError({ message: 'the recipe was taken' });
}

test('three lines are a recipe', () => {
  assert.deepEqual(parse(), {
    name: 'tiny',
    version: '1.0',
    suite: 'bookworm',
    architecture: 'amd64',
    components: ['main'],
    kernel: 'linux-image-amd64',
    packages: [],
    exclude: [],
    files: [],
    users: [],
    services: { enable: [], disable: [], mask: [] },
    hooks: [],
    kernelArguments: [],
  });
});

test('the kernel follows the architecture', () => {
  assert.equal(parse('architecture: arm64').kernel, 'linux-image-arm64');
  assert.equal(parse('kernel: linux-image-cloud-amd64').kernel, 'linux-image-cloud-amd64');
});

test('files and users get careful defaults', () => {
  const recipe = parse('files: [{ path: /etc/motd, content: hello }]', 'users: [{ name: ops }]');
  assert.deepEqual(recipe.files[0], {
    path: '/etc/motd',
    content: 'hello',
    mode: '0644',
    owner: 'root:root',
  });
  assert.deepEqual(recipe.users[0], {
    name: 'ops',
    passwordHash: '*',
    sshKeys: [],
    groups: [],
    shell: '/bin/bash',
  });
});

suite('the recipes that ship are valid', () => {
  const folder = join(import.meta.dirname, '../recipes');
  const files = readdirSync(folder).filter((name) => name.endsWith('.yaml'));
  for (const name of files)
    test(name, async () => {
      const text = readFileSync(join(folder, name), 'utf8');
      const set = text.includes('include:') ? { SSH_KEY: 'ssh-ed25519 AAAA ops@example' } : {};
      assert.equal(`${(await readRecipe(join(folder, name), set)).name}.yaml`, name);
    });
});

test('a misspelt key is named with its line and the nearest key', () => {
  const problem = refusal('files:', '  - path: /etc/motd', '    content: hello', '    mod: "0644"');
  assert.equal(problem.code, 'recipe_invalid');
  assert.equal(problem.field, 'files[0].mod');
  assert.equal(problem.message, 'tiny.yaml:7: files[0].mod is not a known key');
  assert.match(problem.remedy, /`mode` instead of `mod`/);
});

test('everything wrong is told at once, in the order of the file', () => {
  const problem = refusal('packages: [Vim]', 'flavour: mint', 'users: [{ name: ops, shell: zsh }]');
  const lines = problem.message.split('\n').map((line) => line.split(' ', 2).join(' '));
  assert.deepEqual(lines, [
    'tiny.yaml:4: packages[0]',
    'tiny.yaml:5: flavour',
    'tiny.yaml:6: users[0].shell',
  ]);
});

test('a missing field is called missing', () => {
  assert.throws(() => parseRecipe('name: tiny\nversion: "1"', 'r.yaml'), /suite is missing/);
});

test('broken YAML is told with line and column', () => {
  assert.throws(() => parseRecipe('name: tiny\nfiles: [', 'r.yaml'), {
    code: 'recipe_not_yaml',
    message: /^r\.yaml:2:\d+: /,
  });
  assert.throws(() => parseRecipe('name: a\nname: b', 'r.yaml'), { code: 'recipe_not_yaml' });
});

const REFUSED: readonly (readonly [what: string, line: string, field: string, message: RegExp])[] = [
  ['a plain password', 'users: [{ name: ops, password: secret }]', 'users[0].password', /not a known key/],
  [
    'a password in place of its hash',
    'users: [{ name: ops, passwordHash: secret }]',
    'users[0].passwordHash',
    /crypt/,
  ],
  ['a user name that is an option', 'users: [{ name: -ops }]', 'users[0].name', /start with a letter/],
  [
    'an SSH key of two lines',
    'users: [{ name: ops, sshKeys: ["ssh-rsa AAAA\\nx"] }]',
    'users[0].sshKeys[0]',
    /one line/,
  ],
  ['a user twice', 'users: [{ name: ops }, { name: ops }]', 'users[1].name', /is ops, as in \[0\] already/],
  ['a path with ..', 'files: [{ path: /etc/../x, content: a }]', 'files[0].path', /absolute path/],
  ['a relative path', 'files: [{ path: etc/x, content: a }]', 'files[0].path', /absolute path/],
  ['a path with a line end', 'files: [{ path: "/etc/a\\nb", content: a }]', 'files[0].path', /absolute path/],
  ['a folder as path', 'files: [{ path: /etc/, content: a }]', 'files[0].path', /absolute path/],
  ['a path twice', 'files: [{ path: /a, content: a }, { path: /a, content: b }]', 'files[1].path', /already/],
  ['a source outside', 'files: [{ path: /a, source: a/../../b }]', 'files[0].source', /inside the folder/],
  [
    'an absolute source',
    'files: [{ path: /a, source: /etc/shadow }]',
    'files[0].source',
    /inside the folder/,
  ],
  ['content and source', 'files: [{ path: /a, source: a, content: a }]', 'files[0]', /either/],
  ['neither content nor source', 'files: [{ path: /a }]', 'files[0]', /either/],
  [
    'a mode that YAML takes for a number',
    'files: [{ path: /a, content: a, mode: 0644 }]',
    'files[0].mode',
    /quotes/,
  ],
  ['a version that YAML takes for a number', 'version: 1.0', 'version', /quotes/],
  ['an option as package', 'packages: [--force]', 'packages[0]', /name of a Debian package/],
  ['a package to be removed', 'packages: [dpkg-]', 'packages[0]', /name of a Debian package/],
  ['a kernel argument with a blank', 'kernelArguments: ["a b"]', 'kernelArguments[0]', /without blanks/],
  [
    'an argument that the edge sets',
    'kernelArguments: [fetch=http://x/y]',
    'kernelArguments[0]',
    /by Bootswarm/,
  ],
  ['an unknown suite', 'suite: jessie', 'suite', /bookworm/],
];

for (const [what, line, field, message] of REFUSED) {
  test(`${what} is refused`, () => {
    const key = line.split(':', 1)[0];
    const head = HEAD.filter((other) => other.split(':', 1)[0] !== key);
    assert.throws(() => parseRecipe([...head, line].join('\n'), 'r.yaml'), {
      code: 'recipe_invalid',
      field,
      message,
    });
  });
}
