import assert from 'node:assert/strict';
import { mkdir, mkdtempDisposable, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { readRecipe } from './recipe.ts';

const HEAD = 'name: tiny\nversion: "1"\nsuite: bookworm\n';

async function read(files: Readonly<Record<string, string>>, set?: Readonly<Record<string, string>>) {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'bootswarm-recipe-'));
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder.path, name)), { recursive: true });
    if (text.startsWith('-> ')) await symlink(text.slice(3), join(folder.path, name));
    else await writeFile(join(folder.path, name), text);
  }
  const withoutFolder = (error: Error) => {
    error.message = error.message.replaceAll(`${folder.path}/`, '');
    throw error;
  };
  return await readRecipe(join(folder.path, 'r/r.yaml'), set).catch(withoutFolder);
}

test('lists are appended, maps merged, and the recipe has the last word', async () => {
  const recipe = await read({
    'r/r.yaml': `${HEAD}include: [base.yaml]\npackages: [vim]\nservices: { enable: [b.service] }\nkernel: mine`,
    'r/base.yaml':
      'suite: trixie\nkernel: theirs\npackages: [curl]\nservices: { enable: [a.service], mask: [c.timer] }',
  });
  assert.equal(recipe.suite, 'bookworm');
  assert.equal(recipe.kernel, 'mine');
  assert.deepEqual(recipe.packages, ['curl', 'vim']);
  assert.deepEqual(recipe.services, { enable: ['a.service', 'b.service'], disable: [], mask: ['c.timer'] });
});

test('a file that two include counts once', async () => {
  const recipe = await read({
    'r/r.yaml': `${HEAD}include: [a.yaml, b.yaml]`,
    'r/a.yaml': 'include: base.yaml\npackages: [a2]',
    'r/b.yaml': 'include: base.yaml\npackages: [b2]',
    'r/base.yaml': 'packages: [base-files]\nusers: [{ name: ops }]',
  });
  assert.deepEqual(recipe.packages, ['base-files', 'a2', 'b2']);
});

test("an included recipe's files are taken from its own folder", async () => {
  const recipe = await read({
    'r/r.yaml': `${HEAD}include: [parts/ssh/ssh.yaml]\nfiles: [{ path: /a, source: a }]`,
    'r/parts/ssh/ssh.yaml': 'files: [{ path: /b, source: b }, { path: /c, source: ../c }]',
  });
  assert.deepEqual(
    recipe.files.map(({ source }) => source),
    ['parts/ssh/b', 'parts/c', 'a'],
  );
});

test('variables of what is included can be set, by the recipe and from outside', async () => {
  const files = {
    'r/r.yaml': `${HEAD}include: [base.yaml]\nvariables: { B: "2" }`,
    'r/base.yaml': 'variables: { A: "1", B: "1", C: }\nkernelArguments: ["a=${A}", "b=${B}", "c=${C}"]',
  };
  assert.deepEqual((await read(files, { C: '3' })).kernelArguments, ['a=1', 'b=2', 'c=3']);
  await assert.rejects(read(files), { message: /^r\/base\.yaml:1: variables\.C has no value/ });
});

const REFUSED: readonly (readonly [
  what: string,
  files: Readonly<Record<string, string>>,
  message: RegExp,
])[] = [
  [
    'a circle',
    { 'r/r.yaml': `${HEAD}include: [a.yaml]`, 'r/a.yaml': 'packages: []\ninclude: [r.yaml]' },
    /^r\/a\.yaml:2: include r\.yaml leads back to itself$/,
  ],
  [
    'a path out of the folder',
    { 'r/r.yaml': `${HEAD}include: [../o.yaml]`, 'o.yaml': '' },
    /r\.yaml:4: .* out of/,
  ],
  [
    'a link out of the folder',
    { 'r/r.yaml': `${HEAD}include: [o.yaml]`, 'r/o.yaml': '-> ../o.yaml', 'o.yaml': '' },
    /r\.yaml:4: .* leads out of the folder/,
  ],
  ['an absolute path', { 'r/r.yaml': `${HEAD}include: [/etc/passwd]` }, /r\.yaml:4: .*ENOENT|out of/],
  [
    'what is not there',
    { 'r/r.yaml': `${HEAD}include:\n  - no.yaml` },
    /r\.yaml:5: include no\.yaml: ENOENT/,
  ],
  ['a variable in a path', { 'r/r.yaml': `${HEAD}include: ["\${A}"]` }, /r\.yaml:4: include must hold paths/],
  ['a number', { 'r/r.yaml': `${HEAD}include: [1]` }, /r\.yaml:4: include must hold paths/],
  [
    'a fault in an included recipe, with its own line',
    { 'r/r.yaml': `${HEAD}include: [a.yaml]\npackages: [vim]`, 'r/a.yaml': '\n\npackages: [Vim]' },
    /^r\/a\.yaml:3: packages\[0\] must be/,
  ],
  [
    'a path that two files give',
    {
      'r/r.yaml': `${HEAD}include: [a.yaml]\nfiles: [{ path: /x, content: b }]`,
      'r/a.yaml': 'files: [{ path: /x, content: a }]',
    },
    /^r\/r\.yaml:5: files\[1\]\.path is \/x, as in \[0\] already/,
  ],
  [
    'a source out of the folder of the recipe',
    {
      'r/r.yaml': `${HEAD}include: [p/a.yaml]`,
      'r/p/a.yaml': 'files: [{ path: /x, source: ../../x }]',
    },
    /^r\/p\/a\.yaml:1: files\[0\]\.source must be a path inside/,
  ],
];
for (const [what, files, message] of REFUSED)
  test(`${what} is refused`, () => assert.rejects(read(files), { code: 'recipe_invalid', message }));

test('a unit to be both enabled and masked is refused', () =>
  assert.rejects(
    read({
      'r/r.yaml': `${HEAD}include: [a.yaml]\nservices:\n  mask: [ssh.service]`,
      'r/a.yaml': 'services: { enable: [ssh.service] }',
    }),
    { message: /^r\/r\.yaml:6: services\.mask\[0\] is ssh\.service, as in `enable` already/ },
  ));
