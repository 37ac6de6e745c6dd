import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { type Assignment, assignmentConflict, assignmentFor } from './assignment.ts';
import { Machine } from './machine.ts';
import { applyRules, BY_HAND, explainRules, MachineRule } from './machine-rule.ts';

const machine = (more: Partial<Machine> = {}): Machine => ({
  id: 'm-1',
  macs: ['52:54:00:00:00:01'],
  segment: 'lab',
  properties: { product: 'R760', disks: 8 },
  ...more,
});
const rule = (name: string, match: string, set: MachineRule['set']): MachineRule =>
  MachineRule.parse({ name, match, set });

describe('rules', () => {
  const rules = [
    rule('all', '', { class: 'any', labels: { a: 'all', b: 'all' } }),
    rule('model', 'product=R760', { class: 'storage', labels: { a: 'model' } }),
    rule('exact', 'product=R760,disks>=8', { labels: { a: 'exact' }, properties: { tier: '1' } }),
    rule('other', 'product=R660', { class: 'compute' }),
  ];

  test('give what they set, the narrower one first, and by hand wins', () => {
    const ruled = applyRules(rules, machine({ byHand: { labels: { b: 'hand', c: 'hand' } } }));
    assert.equal(ruled.class, 'storage');
    assert.deepEqual(ruled.labels, { a: 'exact', b: 'hand', c: 'hand' });
    assert.deepEqual(ruled.properties, { product: 'R760', disks: 8, extra: { tier: '1' } });
  });

  test('are explained with who lost', () => {
    const told = explainRules(rules, machine({ byHand: { class: 'own' } }));
    assert.deepEqual(
      told.find(({ what }) => what === 'class'),
      {
        what: 'class',
        value: 'own',
        by: BY_HAND,
        lost: [
          { rule: 'model', value: 'storage' },
          { rule: 'all', value: 'any' },
        ],
      },
    );
    assert.deepEqual(told.find(({ what }) => what === 'label.a')?.lost, [
      { rule: 'model', value: 'model' },
      { rule: 'all', value: 'all' },
    ]);
  });

  test('see what was set by hand, and not what others set', () => {
    const chain = [
      rule('one', 'product=R760', { labels: { kind: 'x' } }),
      rule('two', 'label.kind=x', { labels: { more: 'y' } }),
    ];
    assert.deepEqual(applyRules(chain, machine()).labels, { kind: 'x' });
    assert.deepEqual(applyRules(chain, machine({ byHand: { labels: { kind: 'x' } } })).labels, {
      kind: 'x',
      more: 'y',
    });
  });

  test('that go take with them what they set', () => {
    assert.deepEqual(applyRules([], applyRules(rules, machine())), machine());
  });

  test('that ask for what changes by itself are refused', () => {
    for (const field of ['state', 'segment', 'reservation'])
      assert.match(
        MachineRule.safeParse({ name: 'r', match: `${field}=a`, set: { class: 'x' } }).error?.issues[0]
          ?.message ?? '',
        new RegExp(`asks for ${field}, which changes by itself`),
      );
    assert.equal(MachineRule.safeParse({ name: 'r', match: '', set: {} }).success, false);
  });

  test('say the same in any order, and the same again once they were applied', () => {
    const name = fc.constantFrom('r1', 'r2', 'r3', 'r4', 'r5');
    const match = fc.constantFrom(
      '',
      'product=R760',
      'product=R*',
      'disks>=8',
      'product=R760,disks>=8',
      'label.a=1',
      'class=x',
      'disks<2',
    );
    const labels = fc.dictionary(fc.constantFrom('a', 'b', 'constructor'), fc.constantFrom('1', '2'), {
      noNullPrototype: true,
    });
    const set = fc.record({ class: fc.constantFrom('x', 'y'), labels }, { requiredKeys: ['labels'] });
    const rules = fc.uniqueArray(fc.record({ name, match, set }), { selector: (each) => each.name });
    const byHand = fc.record({ labels, class: fc.constantFrom('x', 'z') }, { requiredKeys: [] });
    fc.assert(
      fc.property(rules, byHand, (all, hand) => {
        const given = machine({ byHand: hand });
        const once = applyRules(all, given);
        assert.ok(Machine.safeParse(once).success);
        assert.deepEqual(applyRules(all, once), once);
        assert.deepEqual(applyRules(all.toReversed(), given), once);
        for (const [label, value] of Object.entries(hand.labels ?? {}))
          assert.equal(once.labels?.[label], value);
        if (hand.class !== undefined) assert.equal(once.class, hand.class);
      }),
    );
  });
});

describe('assignments', () => {
  const assignment = (name: string, match: string): Assignment => ({
    name,
    match,
    profile: name,
    kernelArguments: [],
    variables: {},
  });
  const widest = assignment('all', '');
  const ofSegment = assignment('segment', 'segment=lab');
  const ofOne = assignment('one', 'product=R760');
  const ofTwo = assignment('two', 'product=R760,segment=lab');
  const ofMachine = assignment('machine', 'mac=52:54:00:00:00:01');
  const order = [ofMachine, ofTwo, ofOne, ofSegment, widest];

  for (const [at, expected] of order.entries())
    test(`without narrower ones '${expected.match}' holds, and the wider ones lose to it`, () => {
      const assigned = assignmentFor(machine(), order.slice(at).toReversed());
      assert.equal(assigned.assignment?.name, expected.name);
      assert.deepEqual(
        assigned.lost,
        order.slice(at + 1).map(({ name }) => name),
      );
    });

  test('of which none matches leave a machine without one', () => {
    assert.deepEqual(assignmentFor(machine({ segment: 'prod' }), [ofSegment]), { conflict: [], lost: [] });
  });

  test('that are as narrow as each other hold none, and are named', () => {
    const assigned = assignmentFor(machine(), [assignment('b', 'disks>=8'), ofOne, widest]);
    assert.deepEqual(assigned, { conflict: ['b', 'one'], lost: ['all'] });
  });

  test('a tie does not matter where a narrower one holds', () => {
    assert.equal(
      assignmentFor(machine(), [assignment('b', 'disks>=8'), ofOne, ofTwo]).assignment?.name,
      'two',
    );
  });

  test('a star names no single machine', () => {
    const starred = assignment('starred', 'mac=52:54:*');
    assert.equal(assignmentFor(machine(), [starred, ofTwo]).assignment?.name, 'two');
  });

  test('a tie is seen between two that say the same, and on a machine that is known', () => {
    assert.deepEqual(assignmentConflict(assignment('x', 'product = "R760"'), [ofOne], []), { other: 'one' });
    const rival = assignment('x', 'disks>=8');
    assert.equal(assignmentConflict(rival, [ofOne], [machine()])?.machine?.id, 'm-1');
    assert.equal(
      assignmentConflict(rival, [ofOne], [machine({ properties: { product: 'R660', disks: 8 } })]),
      undefined,
    );
    assert.equal(
      assignmentConflict(rival, [ofOne, ofTwo], [machine()]),
      undefined,
      'a narrower one settles it',
    );
    assert.equal(
      assignmentConflict({ ...ofOne, profile: 'new' }, [ofOne], [machine()]),
      undefined,
      'its own successor',
    );
  });
});
