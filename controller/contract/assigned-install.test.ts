import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { assignmentOf, effectiveVariables, mergedArguments } from './assigned-install.ts';

const cases: readonly (readonly [string, string[], string[], string[]])[] = [
  ['stand behind those of the profile', ['quiet'], ['nosmt'], ['quiet', 'nosmt']],
  [
    'take the place of one of the same name',
    ['mitigations=auto', 'a=1'],
    ['mitigations=off'],
    ['a=1', 'mitigations=off'],
  ],
  [
    'take the place of all of that name',
    ['console=tty0', 'console=ttyS0'],
    ['console=ttyS1'],
    ['console=ttyS1'],
  ],
  [
    'may name one twice themselves',
    ['a'],
    ['console=tty0', 'console=ttyS0'],
    ['a', 'console=tty0', 'console=ttyS0'],
  ],
  [
    'are the same with - and _',
    ['printk.always_kmsg_dump=1'],
    ['printk.always-kmsg-dump=0'],
    ['printk.always-kmsg-dump=0'],
  ],
  [
    'are by name and not by what begins like it',
    ['console=tty0'],
    ['consoleblank=0'],
    ['console=tty0', 'consoleblank=0'],
  ],
  ['have a value that may hold =', ['root=UUID=a'], ['root=UUID=b'], ['root=UUID=b']],
];
for (const [name, wider, narrower, merged] of cases)
  test(`kernel arguments of an assignment ${name}`, () => {
    assert.deepEqual(mergedArguments(wider, narrower), merged);
  });

test('of merged kernel arguments all of the narrower are there in their order, and nothing that nobody said', () => {
  const argument = fc.stringMatching(/^[ab_-]{1,2}(=[ab=]{0,2})?$/);
  const nameOf = (each: string): string => (each.split('=')[0] ?? '').replaceAll('-', '_');
  fc.assert(
    fc.property(fc.array(argument), fc.array(argument), (wider, narrower) => {
      const merged = mergedArguments(wider, narrower);
      assert.deepEqual(merged.slice(merged.length - narrower.length), narrower);
      const kept = merged.slice(0, merged.length - narrower.length);
      const names = new Set(narrower.map(nameOf));
      assert.deepEqual(
        kept,
        wider.filter((each) => !names.has(nameOf(each))),
      );
      assert.deepEqual(mergedArguments(merged, narrower), merged, 'said twice it is the same');
    }),
  );
});

test('what an assignment said counts for its epoch alone, and behind what the machine itself has', () => {
  const assignment = { name: 'a', epoch: 2, kernelArguments: [], variables: { disk: 'a', rack: 'r1' } };
  assert.equal(assignmentOf({ epoch: 2, assignment })?.name, 'a');
  assert.equal(assignmentOf({ epoch: 3, assignment }), undefined);
  assert.equal(assignmentOf({}), undefined);
  const variables = { disk: 'own' };
  assert.deepEqual(effectiveVariables({ epoch: 2, assignment, variables }), { disk: 'own', rack: 'r1' });
  assert.deepEqual(effectiveVariables({ epoch: 3, assignment, variables }), variables);
  assert.equal(effectiveVariables({ epoch: 3, assignment }), undefined);
});
