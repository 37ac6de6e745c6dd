import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JournalRecord, Machine, MachineMove } from '@bootswarm/controller/contract';
import { LifeUnderTest, LIFE_MAC as MAC } from '../testing/life-under-test.ts';
import { MortalStore } from '../testing/mortal-store.ts';

type Real = LifeUnderTest<MortalStore>;

/** What somebody does, and whether it is done: who was not answered looks, and repeats it where it is not. */
interface Deed {
  readonly act: (real: Real) => Promise<unknown>;
  readonly isDone?: (machine: Machine | undefined) => boolean;
}

type Told = Parameters<Real['record']>[0];

/** An edge sends a record until it is taken. */
function tell(told: Told): Deed {
  const records = new WeakMap<Real, JournalRecord>();
  return {
    act: async (real) => {
      const record = records.get(real) ?? real.record(told);
      records.set(real, record);
      await real.send([record]);
    },
  };
}

function wait(seconds: number): Deed {
  const waited = new WeakSet<Real>();
  return {
    act: async (real) => {
      if (!waited.has(real)) real.pass(seconds);
      waited.add(real);
      await real.watch.look(real.now);
    },
  };
}

const reason = 'as a test says';
/** A newcomer is inspected, installed, active, released, wiped, and fails at a deadline. */
const LIFE: readonly Deed[] = [
  tell({ stage: 'offer', netboot: true, segment: 'seg1' }),
  tell({ stage: 'script', next: 'agent', segment: 'seg1' }),
  { act: (real) => real.inspect() },
  wait(5),
  tell({ stage: 'install', epoch: 2 }),
  tell({ stage: 'install', epoch: 2, spentEpoch: 2 }),
  tell({ stage: 'first-boot', epoch: 2, spentEpoch: 2 }),
  {
    act: (real) => real.lives.release(MAC, { reason, method: 'auto' }, real.now),
    isDone: (machine) => machine?.state === 'wiping',
  },
  tell({ stage: 'wipe', epoch: 3 }),
  wait(49 * 3600),
  tell({ stage: 'wipe', epoch: 3, spentEpoch: 3 }),
  {
    act: (real) => real.lives.maintain(MAC, { isOn: true, reason }, real.now),
    isDone: (machine) => machine?.state === 'maintenance',
  },
  {
    act: (real) => real.lives.maintain(MAC, { isOn: false, reason }, real.now),
    isDone: (machine) => machine?.state === 'available',
  },
];

interface Outcome {
  readonly machine: Omit<Machine, 'id'>;
  readonly history: readonly MachineMove[];
  readonly commits: number;
}

/** Lives through it, killed at the `at`th commit, if at all. */
async function liveThrough(at: number, side: 'before' | 'after'): Promise<Outcome> {
  const real = await LifeUnderTest.make(new MortalStore(), {
    unknownMachines: { installBy: 'web', perHour: 10 },
  });
  const already = real.store.commits;
  if (at > 0) real.store.killIn(at, side);
  for (const { act, isDone } of LIFE) {
    const answered = await real.store.outlive(async () => {
      await act(real);
      return true;
    });
    if (answered !== true && !isDone?.(await real.machine())) await act(real);
  }
  const { id: _, ...machine } = (await real.machine()) ?? { id: '', macs: [] };
  return { machine, history: await real.history(), commits: real.store.commits - already };
}

const plain = await liveThrough(0, 'before');

test('the life that is to survive has every transition', () => {
  assert.deepEqual(
    plain.history.map(({ to }) => to),
    [
      'discovered',
      'inspecting',
      'available',
      'reserved',
      'installing',
      'installed',
      'active',
      'wiping',
      'failed',
      'available',
      'maintenance',
      'available',
    ],
  );
});

for (const side of ['before', 'after'] as const)
  for (let at = 1; at <= plain.commits; at++)
    test(`killed ${side} commit ${at}, the controller goes on to the same end by the same way`, async () => {
      const { machine, history } = await liveThrough(at, side);
      assert.deepEqual(history, plain.history);
      assert.deepEqual(machine, plain.machine);
    });
