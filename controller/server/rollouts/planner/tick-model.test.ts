import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Intent, isWithin, ROLLOUT_STATES, type RolloutOrder } from '@bootswarm/controller/contract';
import fc from 'fast-check';
import type { z } from 'zod';
import { SimulatedFleet, sampleRollout } from './simulation/index.ts';

const MACHINES = 12;
const before: Intent = { kind: 'install', profile: 'web', release: 'minimal/1.0/amd64' };

/** Two rollouts over machines that share two segments, one of them with a pair of edges, and three racks. */
function fleetOf(orders: readonly Partial<z.input<typeof RolloutOrder>>[]): SimulatedFleet {
  const fleet = new SimulatedFleet((segment) => (segment === 's0' ? ['e0', 'e1'] : ['e1']));
  for (const [at, order] of orders.entries()) {
    const candidates = Array.from({ length: MACHINES }, (_, n) => ({
      machine: `m-${at}-${String(n).padStart(2, '0')}`,
      place: { segment: `s${n % 2}`, rack: `k${n % 3}`, uplink: 'u' },
      before: n % 5 === 4 ? undefined : before,
    }));
    const { rollout, machines } = sampleRollout({ ...order, name: `r${at}` }, candidates);
    fleet.start(rollout, machines);
  }
  return fleet;
}

const limit = fc.option(fc.integer({ min: 1, max: 4 }), { nil: undefined });
const hook = { url: 'https://drain.example/hook', secret: 'hooks', withinSeconds: 600 };

const order = fc.record(
  {
    waves: fc.constantFrom('1,25%,rest', 'rest', '2,by=rack', '5,rest'),
    profile: fc.constantFrom('web', undefined),
    limits: fc.record({
      atOnce: fc.integer({ min: 1, max: 6 }),
      perEdge: limit,
      perSegment: limit,
      perRack: limit,
      perUplink: limit,
    }),
    gates: fc.record({
      failuresMost: fc.constantFrom('0', '1', '50%'),
      approval: fc.constantFrom('never', 'after-first', 'always'),
      soakMinutes: fc.constantFrom(0, 30),
      health: fc.constantFrom(undefined, { kind: 'url' as const, url: 'http://{address}/healthz' }),
    }),
    onFailure: fc.constantFrom('stop', 'rollback'),
    hooks: fc.constantFrom({}, { before: hook }, { after: hook }, { before: hook, after: hook }),
    power: fc.constantFrom('cycle', 'none'),
    window: fc.constantFrom(undefined, { from: '07:00', to: '11:00' }),
    edgeWaitMinutes: fc.constantFrom(10, 120),
  },
  { requiredKeys: ['waves', 'limits'] },
) as fc.Arbitrary<Partial<z.input<typeof RolloutOrder>>>;

const machine = fc
  .tuple(fc.integer({ min: 0, max: 1 }), fc.integer({ min: 0, max: MACHINES - 1 }))
  .map(([rollout, n]) => `m-${rollout}-${String(n).padStart(2, '0')}`);
const seen = fc.constantFrom(
  { kind: 'begun' } as const,
  { kind: 'up' } as const,
  { kind: 'failed', detail: 'no disk' } as const,
);
const rolloutName = fc.constantFrom('r0', 'r1');

type Step = (fleet: SimulatedFleet) => void;
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: fc.constant<Step>((fleet) => void fleet.tick()) },
  // Killed after some of its commits, or between a commit and what is done for it.
  {
    weight: 3,
    arbitrary: fc.nat(6).map(
      (most): Step =>
        (fleet) =>
          void fleet.tick(most),
    ),
  },
  { weight: 2, arbitrary: fc.constant<Step>((fleet) => fleet.killController()) },
  {
    weight: 8,
    arbitrary: fc.tuple(machine, seen).map(
      ([id, what]): Step =>
        (fleet) =>
          fleet.tell(id, what),
    ),
  },
  {
    weight: 3,
    arbitrary: fc.tuple(machine, seen).map(
      ([id, what]): Step =>
        (fleet) =>
          fleet.tell(id, what, true),
    ),
  },
  {
    weight: 8,
    arbitrary: fc.tuple(machine, fc.integer({ min: 0, max: 9 })).map(
      ([id, luck]): Step =>
        (fleet) =>
          fleet.answer(id, luck > 0),
    ),
  },
  {
    weight: 4,
    arbitrary: fc.integer({ min: 1, max: 40 }).map(
      (minutes): Step =>
        (fleet) =>
          fleet.pass(minutes),
    ),
  },
  {
    weight: 1,
    arbitrary: machine.map(
      (id): Step =>
        (fleet) =>
          fleet.takeOver(id),
    ),
  },
  {
    weight: 2,
    arbitrary: fc.tuple(fc.constantFrom('s0', 's1'), fc.boolean()).map(
      ([segment, lacks]): Step =>
        (fleet) => {
          if (lacks) fleet.lacking.add(segment);
          else fleet.lacking.delete(segment);
        },
    ),
  },
  {
    weight: 2,
    arbitrary: rolloutName.map(
      (name): Step =>
        (fleet) =>
          fleet.approve(name),
    ),
  },
  {
    weight: 2,
    arbitrary: fc.tuple(rolloutName, fc.constantFrom('paused' as const, 'running' as const)).map(
      ([name, to]): Step =>
        (fleet) =>
          void fleet.command(name, to),
    ),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(rolloutName, fc.constantFrom('stopping' as const, 'rolling_back' as const)).map(
      ([name, to]): Step =>
        (fleet) =>
          void fleet.command(name, to),
    ),
  },
);

/** Whoever is asked says yes, and every machine comes up: so everything must come to an end. */
function settle(fleet: SimulatedFleet): void {
  fleet.lacking.clear();
  for (let round = 0; round < 600; round++) {
    for (const [name, { rollout, machines }] of fleet.held) {
      if (rollout.state === 'paused') fleet.command(name, 'running');
      fleet.approve(name);
      for (const { machine: id, step: at } of machines.values()) {
        fleet.answer(id, true);
        if (at === 'booting' || at === 'undo_booting') fleet.tell(id, { kind: 'up' });
      }
    }
    if (fleet.tick().length === 0) {
      if (fleet.site().rollouts.length === 0) return;
      fleet.pass(30);
    }
  }
}

describe('two rollouts over the same edges', () => {
  test('keep every limit, arm nobody twice and end, whatever happens in whatever order', () => {
    fc.assert(
      fc.property(order, order, fc.array(step, { maxLength: 120 }), (one, other, steps) => {
        const fleet = fleetOf([one, other]);
        for (const each of steps) each(fleet);
        fleet.requireLimits();
        settle(fleet);
        for (const { rollout, machines } of fleet.held.values()) {
          assert.ok(ROLLOUT_STATES[rollout.state].isOver, `it came to no end: ${rollout.state}`);
          for (const record of machines.values()) {
            const truth = fleet.truths.get(record.machine);
            if (record.step === 'failed' || record.step === 'undo_failed')
              assert.ok(record.cause, `${record.machine} failed without a cause`);
            const isTheirs = record.epoch !== undefined && record.epoch === truth?.epoch;
            if (rollout.state !== 'rolled_back' || !isTheirs) continue;
            if (record.step === 'undone' && record.cause === undefined)
              assert.deepEqual(truth.intent, record.before, 'who went back has what was before');
            assert.notEqual(record.step, 'done', 'nobody keeps what was rolled back');
          }
        }
      }),
      { numRuns: 200 },
    );
  });

  test('nobody begins outside the window, and nobody while the rollout is paused', () => {
    fc.assert(
      fc.property(order, fc.array(step, { maxLength: 80 }), (one, steps) => {
        const fleet = fleetOf([one]);
        for (const each of steps) {
          each(fleet);
          const { rollout } = fleet.held.get('r0') ?? assert.fail();
          const { window } = rollout.order;
          const isClosed = window !== undefined && !isWithin(window, fleet.now);
          if (!isClosed && rollout.state === 'running') continue;
          const begun = fleet.tick().filter((action) => action.kind === 'move' && action.from === 'waiting');
          assert.deepEqual(
            begun.filter((action) => action.kind === 'move' && action.to !== 'failed'),
            [],
          );
        }
      }),
      { numRuns: 150 },
    );
  });
});

test('a rollout that is through goes back within its limits as well', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 4 }), limit, limit, (atOnce, perEdge, perRack) => {
      const fleet = fleetOf([{ waves: 'rest', limits: { atOnce: 6, perEdge, perRack } }]);
      settle(fleet);
      const held = fleet.held.get('r0') ?? assert.fail();
      assert.equal(held.rollout.state, 'done');
      const { order } = held.rollout;
      held.rollout = { ...held.rollout, order: { ...order, limits: { ...order.limits, atOnce } } };
      assert.ok(fleet.command('r0', 'rolling_back'));
      settle(fleet);
      assert.equal(held.rollout.state, 'rolled_back');
    }),
    { numRuns: 30 },
  );
});

describe('the power of a machine is left alone', () => {
  const id = 'm-0-00';
  const stepOf = (fleet: SimulatedFleet): string | undefined => fleet.held.get('r0')?.machines.get(id)?.step;
  const untilStep = (fleet: SimulatedFleet, wanted: string): void => {
    for (let ticks = 0; ticks < 10 && stepOf(fleet) !== wanted; ticks++) fleet.tick();
    assert.equal(stepOf(fleet), wanted);
  };

  test('where its agent was waiting and begins by itself', () => {
    const fleet = fleetOf([{ waves: '1,rest' }]);
    untilStep(fleet, 'armed');
    fleet.tell(id, { kind: 'begun' });
    fleet.pass(1);
    untilStep(fleet, 'booting');
    assert.deepEqual(fleet.truths.get(id)?.powered, []);
  });

  test('where it began while no controller was there; where it did not, it is switched', () => {
    for (const hasBegun of [true, false]) {
      const fleet = fleetOf([{ waves: '1,rest' }]);
      untilStep(fleet, 'armed');
      fleet.pass(1);
      fleet.tick(1);
      assert.equal(stepOf(fleet), 'powering');
      fleet.killController();
      fleet.tick();
      assert.deepEqual(fleet.truths.get(id)?.powered, []);
      if (hasBegun) fleet.tell(id, { kind: 'begun' });
      fleet.pass(1);
      fleet.tick();
      assert.equal(stepOf(fleet), hasBegun ? 'booting' : 'powering');
      assert.equal(fleet.truths.get(id)?.powered.length, hasBegun ? 0 : 1);
    }
  });
});

describe('a canary that fails one of five (fault 39)', () => {
  for (const onFailure of ['stop', 'rollback'] as const)
    test(`lets no next wave start, with onFailure ${onFailure}, whoever fails and whenever it is told`, () => {
      fc.assert(
        fc.property(
          fc.integer({ min: 0, max: 4 }),
          fc.array(fc.tuple(fc.integer({ min: 0, max: 4 }), fc.boolean()), { maxLength: 30 }),
          (faulty, turns) => {
            const fleet = fleetOf([{ waves: '5,rest', onFailure }]);
            const canaries = Array.from({ length: 5 }, (_, n) => `m-0-0${n}`);
            const bring = (n: number): void =>
              fleet.tell(
                canaries[n] ?? '',
                n === faulty ? { kind: 'failed', detail: 'panic' } : { kind: 'up' },
              );
            for (const [n, isKilled] of turns) {
              fleet.tick(isKilled ? 1 : undefined);
              for (const id of fleet.truths.keys()) fleet.answer(id, true);
              if (fleet.held.get('r0')?.machines.get(canaries[n] ?? '')?.step === 'booting') bring(n);
            }
            for (let round = 0; round < 12; round++) {
              fleet.pass(1);
              fleet.tick();
              for (const id of fleet.truths.keys()) fleet.answer(id, true);
              for (let n = 0; n < 5; n++)
                if (fleet.held.get('r0')?.machines.get(canaries[n] ?? '')?.step === 'booting') bring(n);
            }
            settle(fleet);
            const { rollout, machines } = fleet.held.get('r0') ?? assert.fail();
            assert.equal(rollout.state, onFailure === 'stop' ? 'stopped' : 'rolled_back');
            assert.equal(rollout.cause, 'error_budget');
            assert.deepEqual(
              rollout.waves.map(({ state }) => state),
              ['failed', 'pending'],
            );
            for (const record of machines.values())
              if (record.wave > 0)
                assert.equal(record.step, 'waiting', 'nobody of the next wave was touched');
            for (const id of canaries) {
              const record = machines.get(id);
              if (onFailure === 'stop') continue;
              if (record?.before === undefined) assert.equal(record?.cause, 'nothing_before');
              else assert.deepEqual([record.step, fleet.truths.get(id)?.intent], ['undone', record.before]);
            }
          },
        ),
        { numRuns: 100 },
      );
    });
});
