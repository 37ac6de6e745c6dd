import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { parse } from 'yaml';
import { faultText, parseAnswerTemplate, renderAnswerTemplate } from './answer-template.ts';

/** Names and values as a hostile machine, BMC or colleague would choose them (faults.md, 30). */
const HOSTILE = [
  '$(touch /tmp/owned)',
  '`touch /tmp/owned`',
  '; touch /tmp/owned #',
  '| touch /tmp/owned',
  '&& touch /tmp/owned',
  "' ; touch /tmp/owned ; '",
  '" ; touch /tmp/owned ; "',
  "'\\''",
  '\\',
  'ends with a backslash\\',
  '${IFS}',
  '~root',
  '*',
  '-rf /',
  '--ks=http://evil',
  '%post',
  '%include http://evil/ks.cfg',
  '#cloud-config',
  '{{ edge.url }}',
  '{{7*7}}',
  '{% for x in y %}',
  '<%= 7 * 7 %>',
  '#{7*7}',
  'a: [b, c]',
  'a:',
  '*alias',
  '&anchor x',
  '!!js/function x',
  '</script><script>alert(1)</script>',
  'd-i preseed/late_command string touch /tmp/owned',
  'ümlaut',
  '__proto__',
  'constructor',
  ' ',
  '',
];
/** Those that some format reads as more than themselves, and some that none does. */
const CHARACTERS = [...'ab1 ._-:/\\\'"`$#%&;|<>(){}[]*?!~=@,\n\r\t\0\u0085\u2028\u2029\u202eé€😀'];
const BREAKING = [
  'a\nb',
  'a\r\nb',
  'a\tb',
  'a\0b',
  '\u001b[2J',
  'a\u2028b',
  'a\u202eb',
  '\ud800',
  '\u0085',
  '\ufeffa',
];

function render(template: string, variables: Readonly<Record<string, string>>): string {
  const parsed = parseAnswerTemplate(template);
  if (!parsed.ok) return `fault at ${faultText(parsed.fault)}`;
  const rendered = renderAnswerTemplate(parsed.template, (name) =>
    Object.hasOwn(variables, name) ? variables[name] : undefined,
  );
  return rendered.ok ? rendered.text : `fault at ${faultText(rendered.fault)}`;
}

describe('a template', () => {
  const cases: readonly (readonly [what: string, template: string, text: string])[] = [
    ['without holes is its text', 'd-i a/b string c\n', 'd-i a/b string c\n'],
    [
      'has its holes filled',
      'a {{ disk }} {{disk}}{{ machine.mac }}',
      'a /dev/sda /dev/sda52:54:00:00:00:01',
    ],
    ['keeps single braces and those that close no hole', 'a { {x} }} b', 'a { {x} }} b'],
    ['is read once: a value with a hole in it stays as it is', '{{ nested | quote }}', "'{{ disk }}'"],
    [
      'names line and column of a hole that is not closed',
      'a\n  {{ disk\n}}',
      'fault at line 2, column 3: the hole that begins here is not closed on its line',
    ],
    [
      'names them at the end of the text too',
      'a {{',
      'fault at line 1, column 3: the hole that begins here is not closed on its line',
    ],
    [
      'has no expressions',
      '{{ 7*7 }}',
      "fault at line 1, column 1: '{{ 7*7 }}' is no hole such as {{ name }} or {{ name | quote }}",
    ],
    [
      'has no chains of filters',
      '{{ disk | quote | json }}',
      "fault at line 1, column 1: '{{ disk | quote | json }}' is no hole such as {{ name }} or {{ name | quote }}",
    ],
    [
      'has no blocks',
      '{{#each x}}',
      "fault at line 1, column 1: '{{#each x}}' is no hole such as {{ name }} or {{ name | quote }}",
    ],
    [
      'names a filter that there is not',
      'x\n\n{{ disk | shell }}',
      "fault at line 3, column 1: there is no filter 'shell': choose one of quote, json, yaml, line",
    ],
    [
      'has no filters of the language it is written in',
      '{{ disk | constructor }}',
      "fault at line 1, column 1: there is no filter 'constructor': choose one of quote, json, yaml, line",
    ],
    [
      'names a variable without a value',
      '{{ nobody }}',
      "fault at line 1, column 1: variable 'nobody' has no value",
    ],
    [
      'needs a filter for what is more than a word',
      'a {{ words }}',
      "fault at line 1, column 3: variable 'words' holds more than letters, digits and ._:/@+=,- and so needs a filter: quote, json, yaml, line",
    ],
    ['takes words to the end of a line', 'a {{ words | line }}', 'a two words'],
    [
      'lets no value join the next line',
      'a {{ back | line }}\nb',
      "fault at line 1, column 3: variable 'back' ends with '\\', which would join the next line to this one",
    ],
    ['lets it where more of the line follows', 'a {{ back | line }} b', 'a x\\ b'],
  ];
  const variables = {
    disk: '/dev/sda',
    'machine.mac': '52:54:00:00:00:01',
    nested: '{{ disk }}',
    words: 'two words',
    back: 'x\\',
  };
  for (const [what, template, text] of cases)
    test(what, () => assert.equal(render(template, variables), text));
});

describe('a hostile value', () => {
  test('is refused where a hole has no filter, but for plain words', () => {
    const passed = HOSTILE.filter((value) => !render('{{ x }}', { x: value }).startsWith('fault'));
    assert.deepEqual(passed, ['a:', '__proto__', 'constructor', '']);
  });

  test('is one word to a shell, and nothing in it is run', () => {
    for (const value of HOSTILE) {
      const script = render('printf %s {{ x | quote }}', { x: value });
      assert.equal(execFileSync('/bin/sh', ['-c', script], { encoding: 'utf8' }), value);
    }
  });

  test('is one string to YAML and JSON', () => {
    for (const value of HOSTILE) {
      assert.deepEqual(parse(render('x: {{ x | yaml }}\ny: 1\n', { x: value })), { x: value, y: 1 });
      assert.deepEqual(JSON.parse(render('{"x": {{ x | json }}}', { x: value })), { x: value });
    }
  });

  test('that begins another line or hides what it is, is refused by every filter', () => {
    for (const value of BREAKING)
      for (const filter of ['', '| quote', '| json', '| yaml', '| line'])
        assert.match(
          render(`{{ x ${filter} }}`, { x: value }),
          /control character|and so needs/,
          JSON.stringify(value),
        );
  });

  test('of any kind adds no line and leaves the text around it alone', () => {
    const filters = fc.constantFrom('', '| quote', '| json', '| yaml', '| line');
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom(...CHARACTERS), maxLength: 12 }),
        filters,
        (value, filter) => {
          const text = render(`before\n{{ x ${filter} }} .\nafter`, { x: value });
          if (text.startsWith('fault at line 2, column 1: ')) return;
          const [first, , last, ...more] = text.split(/\r\n|[\n\r\u2028\u2029\u0085]/);
          assert.deepEqual([first, last, more], ['before', 'after', []]);
        },
      ),
    );
  });
});

test('taking any text apart and putting it together again ends in one of both', () => {
  const piece = fc.constantFrom('{{', '}}', '{', '}', ' ', '\n', '|', 'x', 'x.y', 'quote', '\\', "'", '%');
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
      const template = pieces.join('');
      const text = render(template, { x: 'X', 'x.y': 'XY' });
      assert.ok(text.startsWith('fault at line ') || !text.includes('{{'), template);
    }),
  );
});
