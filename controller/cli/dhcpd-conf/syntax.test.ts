import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Problem } from '@bootswarm/images/format';
import fc from 'fast-check';
import { parseDhcpdConf, type Statement, textOf } from './syntax.ts';
import { translate } from './translate.ts';

/** Statements as nested arrays: their text, and their block where they have one. */
function shape(statements: readonly Statement[]): unknown[] {
  return statements.map(({ tokens, block }) => (block ? [textOf(tokens), shape(block)] : textOf(tokens)));
}

const good: readonly (readonly [what: string, text: string, shape: unknown[]])[] = [
  ['nothing', ' \n# only a comment', []],
  [
    'a statement over lines',
    'option\n routers # here\n 10.0.0.1,10.0.0.2 ;',
    ['option routers, 10.0.0.1, 10.0.0.2'.replace('routers,', 'routers')],
  ],
  ['nested blocks', 'a { b { c; } d; } e;', [['a', [['b', ['c']], 'd']], 'e']],
  ['a hash and braces in a string', 'x "a # b; { c }";', ['x "a # b; { c }"']],
  ['escapes', String.raw`x "\"\\\t\101\x42";`, [`x ${JSON.stringify('"\\\tAB')}`]],
  ['bytes in hexadecimal', 'match if option arch = 00:07;', ['match if option arch = 00:07']],
  ['a semicolon behind a block', 'key k { secret "x"; }; y;', [['key k', ['secret "x"']], 'y']],
  [
    'a record type, which is no block',
    'option r code 200 = { integer 8, text }; y;',
    ['option r code 200 = { integer 8, text }', 'y'],
  ],
  [
    'a function of functions',
    'match if substring(option a,0,2)="x";',
    ['match if substring(option a, 0, 2) = "x"'],
  ],
];

for (const [what, text, wanted] of good)
  test(`${what} is read`, () => {
    assert.deepEqual(shape(parseDhcpdConf(text, 'f')), wanted);
  });

const bad: readonly (readonly [what: string, text: string, message: string])[] = [
  ['a block without end', 'a;\nb {\n c;', "f:2:3: this '{' is never closed"],
  ['a brace too many', 'a;\n  }', "f:2:3: this '}' closes nothing"],
  ['a string without end', 'a\n "b;', 'f:2:2: this string is never closed'],
  ['a statement without end', 'a { b }', "f:1:7: a ';' is missing before this"],
  ['the last statement without end', 'a;\nb', "f:2:1: a ';' is missing before this"],
  ['a NUL', 'a \0;', 'f:1:3: no such character may stand here'],
  ['a lone !', 'a ! b;', 'f:1:3: no such character may stand here'],
  ['blocks without bottom', 'a {'.repeat(100_000), 'f:1:195: blocks are nested more than 64 deep'],
  ['a record without end', 'option r code 2 = { text;', "f:1:19: this '{' is never closed"],
];

for (const [what, text, message] of bad)
  test(`${what} is refused, by its place`, () => {
    assert.throws(() => parseDhcpdConf(text, 'f'), { code: 'dhcpd_conf_syntax', message });
  });

describe('whatever a file holds', () => {
  const words = [
    'subnet',
    'netmask',
    'pool',
    'range',
    'host',
    'class',
    'subclass',
    'match',
    'if',
    'option',
    'code',
    '=',
    'group',
    'shared-network',
    'hardware',
    'ethernet',
    'fixed-address',
    '10.0.0.0',
    '10.0.0.9',
    '255.255.255.0',
    '300.1.1.1',
    'allow',
    'deny',
    'members',
    'of',
    '"x"',
    '""',
    '01:02:03:04:05:06',
    '-1',
    '1e9',
    'filename',
    '(',
    ')',
    ',',
    'and',
    'or',
    'substring',
    'routers',
    'domain-search',
    'array',
    'integer',
    '8',
    'text',
    'unknown-224',
    'unknown-999',
    'default-lease-time',
    'unknown-clients',
    'constructor',
    '__proto__',
    'else',
    'include',
    '{',
    '}',
    ';',
    ';',
    '#\n',
  ];
  const file = fc.array(fc.constantFrom(...words), { maxLength: 60 }).map((each) => each.join(' '));

  test('it is read, or refused by its place; nothing else is thrown', () => {
    const check = (text: string): void => {
      try {
        translate(parseDhcpdConf(text, 'f'), ['edge1']);
      } catch (error) {
        assert.ok(error instanceof Problem && /^f:\d+:\d+: /.test(error.message), `${text}: ${error}`);
      }
    };
    fc.assert(fc.property(file, check), { numRuns: 3000 });
    fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 200 }), check), { numRuns: 1000 });
    // Balanced, so that most of them reach the translation.
    const balanced = file.map((text) => `${text.replace(/[{}]/g, '')};`);
    const nested = fc.tuple(balanced, balanced, balanced);
    fc.assert(
      fc.property(nested, ([a, b, c]) =>
        check(
          `${a} subnet 10.0.0.0 netmask 255.255.255.0 { ${b} pool { ${c} } } class "k" { ${c} } host h { ${b} }`,
        ),
      ),
      { numRuns: 3000 },
    );
  });
});
