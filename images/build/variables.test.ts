import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseRecipe } from './recipe.ts';

const HEAD = ['name: tiny', 'version: "1.0"', 'suite: bookworm'];

function parse(lines: readonly string[], set?: Readonly<Record<string, string>>) {
  return parseRecipe([...HEAD, ...lines].join('\n'), 'tiny.yaml', set);
}

function scriptOf(script: string, set?: Readonly<Record<string, string>>): string | undefined {
  const lines = ['variables: { SITE: nuremberg }', `hooks: [{ name: a, script: ${JSON.stringify(script)} }]`];
  return parse(lines, set).hooks[0]?.script;
}

const EXPANDED: readonly (readonly [what: string, text: string, expected: string])[] = [
  ['a reference', 'echo ${SITE}', 'echo nuremberg'],
  ['two in a row', '${SITE}${SITE}', 'nurembergnuremberg'],
  ['an escaped one', 'echo $${SITE}', 'echo ${SITE}'],
  ["what the shell's own $ says", 'echo $SITE $(date) $$', 'echo $SITE $(date) $$'],
];
for (const [what, text, expected] of EXPANDED)
  test(`${what} in a text`, () => assert.equal(scriptOf(text), expected));

test('a value that is set wins over the default, and is never read again', () => {
  assert.equal(scriptOf('echo ${SITE}', { SITE: '${SITE} $(reboot)' }), 'echo ${SITE} $(reboot)');
});

test('texts everywhere take variables: name, version, packages', () => {
  const recipe = parse(['variables: { KERNEL: cloud }', 'kernel: linux-image-${KERNEL}-amd64']);
  assert.equal(recipe.kernel, 'linux-image-cloud-amd64');
});

const REFUSED: readonly (readonly [
  what: string,
  lines: readonly string[],
  set: Readonly<Record<string, string>>,
  message: RegExp,
])[] = [
  [
    'an unknown variable, at its own line of a block',
    ['hooks:', '  - name: a', '    script: |', '      echo', '      echo ${SITE}'],
    {},
    /^tiny\.yaml:8: \$\{SITE\} is not declared$/,
  ],
  [
    'an expression in place of a name',
    ['variables: { A: x }', 'packages: ["${A:-b}"]'],
    {},
    /tiny\.yaml:5: \$\{A:-b\} is not a reference/,
  ],
  ['a reference without its end', ['packages: ["${A"]'], {}, /tiny\.yaml:4: \$\{A is not a reference/],
  ['a variable without a value', ['variables:', '  A:'], {}, /tiny\.yaml:5: variables\.A has no value/],
  ['a number as value', ['variables: { A: 1 }'], {}, /tiny\.yaml:4: variables\.A must be text/],
  ['a lower-case name', ['variables: { a: x }'], {}, /tiny\.yaml:4: variables\.a must be A to Z/],
  ['a value for what is not declared', [], { A: 'x' }, /tiny\.yaml:1: --set A: the recipe declares no/],
  ['a list of variables', ['variables: [A]'], {}, /must be a map/],
  [
    'a value that breaks the rule of its place',
    ['variables: { P: x }', 'packages: ["${P}"]'],
    { P: '--force' },
    /tiny\.yaml:5: packages\[0\] must be the name of a Debian package/,
  ],
];
for (const [what, lines, set, message] of REFUSED)
  test(`${what} is refused`, () =>
    assert.throws(() => parse(lines, set), { code: 'recipe_invalid', message }));
