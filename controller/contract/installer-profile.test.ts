import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { InstallerProfile, MachineVariables, profileProblem } from './installer-profile.ts';

const profile = {
  name: 'debian12',
  release: 'debian-installer/12/amd64',
  kind: 'preseed',
  variables: { disk: '/dev/sda', password: null },
  answers: 'd-i disk string {{ disk }}\nd-i password password {{ password | line }}\n',
};

/** What is wrong with it, field by field. */
function faultsOf(changes: object): string[] {
  const parsed = InstallerProfile.safeParse({ ...profile, ...changes });
  return (parsed.error?.issues ?? []).map(({ path, message }) => `${path.join('.')} ${message}`);
}

describe('a profile', () => {
  const cases: readonly (readonly [what: string, changes: object, faults: readonly string[]])[] = [
    ['is as it should be', {}, []],
    ['may name a channel', { release: 'debian-installer/@stable/amd64' }, []],
    [
      'may use all that an edge fills in',
      { answers: '{{ machine.mac }} {{ tree.url }} {{ segment.dns | line }}' },
      [],
    ],
    [
      'names line and column of a variable that nobody has',
      { answers: 'a\nb {{ dsik }}' },
      ["answers line 2, column 3: there is no variable 'dsik' among its variables and the built-in ones"],
    ],
    [
      'has no variable by what an object has by itself',
      { answers: '{{ constructor }}' },
      [
        "answers line 1, column 1: there is no variable 'constructor' among its variables and the built-in ones",
      ],
    ],
    [
      'names those of a hole that is not closed',
      { answers: 'a {{ disk' },
      ['answers line 1, column 3: the hole that begins here is not closed on its line'],
    ],
    [
      'needs a filter where its own default is more than a word',
      { variables: { disk: 'a b', password: null } },
      [
        "answers line 1, column 17: variable 'disk' holds more than letters, digits and ._:/@+=,- and so needs a filter: quote, json, yaml, line",
      ],
    ],
    [
      'has no default with a line break',
      { variables: { disk: 'a\nb', password: null } },
      [
        'variables.disk holds a line break or a control character',
        "answers line 1, column 17: variable 'disk' holds a line break or a control character",
      ],
    ],
    [
      'hides nothing that an edge fills in',
      { variables: { 'machine.mac': 'x', disk: 'x', password: null } },
      ['variables.machine.mac Invalid key in record'],
    ],
    ['is at most 64 KiB long', { answers: '€'.repeat(22_000) }, ['answers must be at most 64 KiB long']],
    [
      'is for cloud-init known by its first line',
      { kind: 'autoinstall' },
      ["answers line 1, column 1: must be '#cloud-config', by which cloud-init knows what it is"],
    ],
    [
      'has holes in its answers alone',
      { kernelArguments: ['a={{disk}}'] },
      ['kernelArguments.0 must not hold {{: only answers have holes'],
    ],
  ];
  for (const [what, changes, faults] of cases) test(what, () => assert.deepEqual(faultsOf(changes), faults));

  test('fits a machine that has what it lacks, in a shape that its holes take', () => {
    const parsed = InstallerProfile.parse(profile);
    assert.equal(profileProblem(parsed, {}), 'the machine has no value for password');
    assert.equal(profileProblem(parsed, { password: '$6$a$b' }), undefined);
    assert.match(
      profileProblem(parsed, { password: 'x', disk: '; reboot' }) ?? '',
      /^line 1, column 17: variable 'disk'/,
    );
    assert.match(
      profileProblem(parsed, { password: 'x\\' }) ?? '',
      /^line 2, column 23: variable 'password' ends with/,
    );
  });
});

test('variables of a machine are words without a dot, and of a bounded number', () => {
  const isFine = (variables: unknown): boolean => MachineVariables.safeParse(variables).success;
  assert.ok(isFine({ disk: '/dev/sda', a_1: '' }));
  for (const name of ['Disk', 'machine.mac', '', '1a', 'a-b'])
    assert.ok(!isFine(Object.fromEntries([[name, 'x']])), name);
  assert.ok(!isFine(Object.fromEntries(Array.from({ length: 129 }, (_, at) => [`v${at}`, '']))));
});
