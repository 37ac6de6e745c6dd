import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { Machine } from './machine.ts';
import { failureStory } from './machine-causes.ts';
import {
  allowedFrom,
  DEADLINE_SECONDS,
  MachineState,
  Mover,
  moved,
  moveOf,
  stillAtIt,
  TRANSITIONS,
} from './machine-state.ts';

const at = new Date('2026-03-02T08:00:00.000Z');
const machineIn = (state: MachineState, rest: Partial<Machine> = {}): Machine => ({
  id: 'm-1',
  macs: ['52:54:00:00:00:01'],
  state,
  ...rest,
});
const aState = fc.constantFrom(...MachineState.options);
const aMover = fc.constantFrom(...Mover.options);

describe('the table of transitions', () => {
  test('leads from every state to every other that is not of the beginning, and from none to itself', () => {
    for (const from of MachineState.options) {
      assert.equal(TRANSITIONS[from][from], undefined, from);
      assert.ok(
        allowedFrom(from, 'operator').includes(from === 'maintenance' ? 'failed' : 'maintenance'),
        from,
      );
    }
    const reached = new Set<string>(['unknown']);
    for (const from of reached)
      for (const to of Object.keys(TRANSITIONS[from as MachineState])) reached.add(to);
    assert.deepEqual([...reached].toSorted(), [...MachineState.options].toSorted());
  });

  test('lets time run out where there is a deadline, and nowhere else', () => {
    const due = MachineState.options.filter((state) => allowedFrom(state, 'deadline').length > 0);
    assert.deepEqual(
      due,
      MachineState.options.filter((state) => DEADLINE_SECONDS[state] !== undefined),
    );
    for (const state of due) assert.deepEqual(allowedFrom(state, 'deadline'), ['failed']);
  });

  test('lets no journal take a machine out of maintenance or of an active life, nor set it aside', () => {
    assert.deepEqual(allowedFrom('maintenance', 'journal'), []);
    assert.deepEqual(allowedFrom('active', 'journal'), []);
    for (const from of MachineState.options)
      assert.ok(!allowedFrom(from, 'journal').includes('reserved'), from);
  });
});

describe('a move', () => {
  test('gives the machine its state, since when, and until when', () => {
    const machine = moved(machineIn('discovered', { cause: 'work_silent' }), 'inspecting', {
      at,
      by: 'journal',
      reason: 'its agent reports',
    });
    assert.deepEqual(machine, {
      ...machineIn('inspecting'),
      stateSince: at.toISOString(),
      deadlineAt: '2026-03-02T08:30:00.000Z',
    });
  });

  test('that the table does not have is refused with those that it has', () => {
    const move = () => moved(machineIn('active'), 'installed', { at, by: 'rollout', reason: 'x' });
    assert.throws(move, {
      code: 'machine_state_not_allowed',
      field: 'to',
      message: 'machine m-1 is active: rollout may not make it installed',
      remedy: /^Allowed from there: reserved, failed\./,
    });
  });

  test('is allowed exactly where the table says so, fails with a cause, and forgets what was before', () => {
    fc.assert(
      fc.property(aState, aState, aMover, (from, to, by) => {
        const before = machineIn(from, { deadlineAt: at.toISOString(), cause: 'work_silent' });
        const motion = {
          at,
          by,
          reason: 'x',
          ...(by === 'journal' ? { cause: 'wipe_failed' as const } : {}),
        };
        if (!TRANSITIONS[from][to]?.includes(by)) {
          assert.throws(() => moved(before, to, motion), { code: 'machine_state_not_allowed' });
          return;
        }
        const after = moved(before, to, motion);
        assert.equal(after.state, to);
        assert.equal(after.cause !== undefined, to === 'failed');
        assert.equal(after.deadlineAt !== undefined, DEADLINE_SECONDS[to] !== undefined);
        if (after.cause !== undefined) assert.ok(failureStory(after.cause).remedy.length > 10);
        const { reason: _, ...told } = moveOf(before, after, motion);
        const cause = after.cause === undefined ? {} : { cause: after.cause };
        assert.deepEqual(told, { at: at.toISOString(), from, to, by, ...cause });
      }),
    );
  });

  test('into a state with a deadline that is passed names that state', () => {
    const failed = moved(machineIn('wiping'), 'failed', { at, by: 'deadline', reason: 'x' });
    assert.equal(failed.cause, 'deadline_passed_wiping');
  });

  test('to installed lasts where a distribution installs, which does not tell of the first boot', () => {
    const intent = { kind: 'installer', profile: 'debian' } as const;
    const motion = { at, by: 'journal', reason: 'x' } as const;
    assert.equal(moved(machineIn('installing', { intent }), 'installed', motion).deadlineAt, undefined);
  });

  test('is not needed for a deadline to begin anew', () => {
    const later = new Date(at.getTime() + 60_000);
    const machine = moved(machineIn('reserved'), 'installing', { at, by: 'journal', reason: 'x' });
    assert.equal(stillAtIt(machine, later).deadlineAt, '2026-03-02T14:01:00.000Z');
    assert.equal(stillAtIt(machineIn('active'), later).deadlineAt, undefined);
  });
});
