import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { parse } from 'yaml';
import { Assignment } from './assignment.ts';
import { assignmentFitProblem } from './assignment-fit.ts';
import { renderFirstBoot } from './first-boot-texts.ts';
import { ImageProfile, MediumProfile } from './image-profile.ts';
import { BUILT_IN_VARIABLES, VariableValue } from './installer-profile.ts';
import { profileFitProblem } from './profile.ts';

const base = {
  name: 'web',
  kind: 'image',
  release: 'minimal/1.0/amd64',
  layout: { disks: [{ serial: 'S-1' }] },
};
const profileOf = (variables: object | undefined, firstBoot: object): ImageProfile =>
  ImageProfile.parse({ ...base, ...(variables && { variables }), firstBoot });
const web = profileOf(
  { rack: null, motd: 'hello' },
  {
    hostname: 'web-{{ rack }}-{{ machine.id }}',
    userData: '#cloud-config\nmotd: {{ motd | yaml }}\nrelease: {{ release.id }}\n',
  },
);

describe('texts of the first boot', () => {
  test('are filled with variables and with what an edge knows', () => {
    assert.deepEqual(renderFirstBoot(web, { rack: 'R1' }, BUILT_IN_VARIABLES), {
      ok: true,
      texts: {
        hostname: 'web-r1-m-0123456789',
        userData: '#cloud-config\nmotd: "hello"\nrelease: name/1/amd64\n',
      },
    });
  });

  test('of a profile without variables are taken as they are, as yesterday', () => {
    const userData = '## template: jinja\n#cloud-config\nfqdn: {{ v1.hostname }}\n{% if x %}\n';
    const rendered = renderFirstBoot(profileOf(undefined, { userData }), { rack: 'r1' }, BUILT_IN_VARIABLES);
    assert.deepEqual(rendered, { ok: true, texts: { userData } });
    assert.deepEqual(renderFirstBoot(profileOf({}, {}), {}, BUILT_IN_VARIABLES), { ok: true, texts: {} });
  });

  const refused: readonly (readonly [string, object | undefined, object, RegExp])[] = [
    [
      'a name nobody knows',
      {},
      { userData: '{{ rcak }}' },
      /userData.*no variable 'rcak' among its variables/,
    ],
    ['the tree of an installer', {}, { userData: '{{ tree.url }}' }, /no variable 'tree\.url'/],
    ['what every object has', {}, { userData: '{{ constructor }}' }, /no variable 'constructor'/],
    ['a hole that is not closed', {}, { userData: 'a {{ b' }, /line 1, column 3: the hole that begins here/],
    ['a default that does not fit its hole', { a: 'x y' }, { userData: '{{ a }}' }, /needs a filter/],
    ['a host name of other letters', {}, { hostname: 'web_{{ machine.id }}' }, /hostname.*is no host name/],
    ['a host name that is too long', {}, { hostname: 'a'.repeat(64) }, /is no host name of 1 to 63/],
    ['a host name without variables', undefined, { hostname: 'web' }, /needs variables beside it/],
  ];
  for (const [name, variables, firstBoot, message] of refused)
    test(`are refused when the profile is set: ${name}`, () => {
      assert.throws(
        () => profileOf(variables, firstBoot),
        (error: Error) => message.test(error.message.replaceAll('\n', ' ')),
      );
    });

  test('of a medium have no holes', () => {
    assert.equal(MediumProfile.safeParse({ ...base, firstBoot: { userData: 'a' } }).success, true);
    assert.equal(MediumProfile.safeParse({ ...base, variables: {} }).success, false);
  });

  test('that lack a value refuse the machine, and an assignment that could never fit', () => {
    assert.equal(profileFitProblem(web, 'install', {}), 'the machine has no value for rack');
    assert.equal(profileFitProblem(web, 'install', { rack: 'r1' }), undefined);
    assert.match(
      profileFitProblem(web, 'install', { rack: 'r_1' }) ?? '',
      /firstBoot\.hostname: makes 'web-r_1/,
    );
    const assigned = (changes: object) =>
      Assignment.parse({ name: 'a', match: '', profile: 'web', ...changes });
    assert.equal(assignmentFitProblem(assigned({}), web), undefined, 'the machine may bring the rest');
    assert.equal(assignmentFitProblem(assigned({ variables: { rack: 'r1' } }), web), undefined);
    const wrong = assigned({ variables: { rack: 'r 1' } });
    assert.match(assignmentFitProblem(wrong, web) ?? '', /firstBoot\.hostname: .*needs a filter/);
    const odd = assigned({ kernelArguments: ['rack={{rack}}'] });
    assert.match(assignmentFitProblem(odd, web) ?? '', /kernel arguments have no holes/);
  });

  test('do not grow beyond what an agent takes', () => {
    const many = profileOf({ a: 'x' }, { userData: '{{ a | line }}'.repeat(4000) });
    const rendered = renderFirstBoot(many, { a: 'y'.repeat(1024) }, BUILT_IN_VARIABLES);
    assert.deepEqual(rendered.ok ? '' : rendered.reason, 'is more than 64 KiB once it is filled');
  });
});

test('whatever a value holds: cloud-init reads it as it is, and nothing more; a host name is one or there is none', () => {
  const userData =
    '#cloud-config\nbefore: 1\nvalue: {{ v | yaml }}\nafter: [{{ v | json }}]\nrun: echo {{ v | quote }}\n';
  const hostile = fc.oneof(
    fc.string({ unit: fc.constantFrom(...'ab1 ._-:/\\\'"`$#%&;|<>(){}[]*?!~=@,\n\r\té€😀') }),
    fc.string({ unit: 'binary' }),
    fc.constantFrom(
      '$(reboot)',
      '{{ machine.id }}',
      '#cloud-config',
      '- a',
      '&a',
      '*a',
      '!!js/function x',
      '',
    ),
  );
  const texts = profileOf({ v: '' }, { userData });
  const named = profileOf({ v: 'x' }, { hostname: '{{ v | line }}' });
  fc.assert(
    fc.property(hostile, (v) => {
      const rendered = renderFirstBoot(texts, { v }, BUILT_IN_VARIABLES);
      assert.equal(rendered.ok, VariableValue.safeParse(v).success || v.length > 1024);
      if (rendered.ok) {
        const { before, value, after } = parse((rendered.texts.userData ?? '').replace(/^run: .*$/m, ''));
        assert.deepEqual([before, value, after], [1, v, [v]]);
      }
      const host = renderFirstBoot(named, { v }, BUILT_IN_VARIABLES);
      if (host.ok) assert.match(host.texts.hostname ?? '', /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/);
    }),
    { numRuns: 500 },
  );
});
