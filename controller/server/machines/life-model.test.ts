import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  Assignment,
  assignmentOf,
  type BootStage,
  DEADLINE_SECONDS,
  type Intent,
  isSingleUse,
  type JournalRecord,
  type Machine,
  MachineStateChange,
  TRANSITIONS,
} from '@bootswarm/controller/contract';
import { Problem } from '@bootswarm/images/format';
import fc from 'fast-check';
import { LifeUnderTest, LIFE_MAC as MAC } from '../testing/life-under-test.ts';
import { MortalStore } from '../testing/mortal-store.ts';
import { dueKey } from './keys.ts';

/** What the test knows beside what it sees. */
interface Model {
  /** Every intent that writes to a disk, with what an assignment said beside, by the epoch under which it was seen armed. */
  readonly armed: Map<number, string>;
  /** Sent by edge2 only later: what it tells comes late. */
  held: JournalRecord[];
  /** Sent last by edge1. */
  last: JournalRecord[];
}
type Real = LifeUnderTest<MortalStore>;
type Edge = 'edge1' | 'edge2';

const INTENTS: readonly Intent[] = [
  { kind: 'install', profile: 'web' },
  { kind: 'installer', profile: 'debian' },
  { kind: 'wipe', method: 'auto', disks: 'all' },
  { kind: 'wipe', method: 'auto', disks: ['S-1'] },
  { kind: 'inspect' },
  { kind: 'local' },
];
const STAGES: readonly BootStage[] = [
  'offer',
  'script',
  'agent',
  'answers',
  'installed',
  'install',
  'wipe',
  'first-boot',
];

/** What holds whatever happened. */
async function requireSound(model: Model, real: Real): Promise<void> {
  const machine = await real.machine();
  if (!machine) return;
  const { state, cause, deadlineAt, intent, epoch = 0 } = machine;
  const history = await real.history();
  let stood = history[0]?.from ?? 'unknown';
  if (history.length < 100) assert.equal(stood, 'unknown');
  for (const { from, to, by, cause: why } of history) {
    assert.equal(from, stood, 'the history has no gap');
    assert.ok(TRANSITIONS[from][to]?.includes(by), `${by} may not make ${from} ${to}`);
    assert.equal(why !== undefined, to === 'failed', 'every failure has a cause, and nothing else has');
    stood = to;
  }
  assert.equal(state ?? 'unknown', stood);
  assert.equal(cause !== undefined, state === 'failed');
  const { installAt, notInstalled } = machine;
  assert.ok(
    installAt === undefined || notInstalled === undefined,
    'it waits for its turn, or is told why not',
  );
  if (state !== undefined && state !== 'installed')
    assert.equal(deadlineAt !== undefined, DEADLINE_SECONDS[state] !== undefined, state);
  if (deadlineAt !== undefined) assert.ok(await real.store.get(dueKey(deadlineAt, machine.id)));
  if (!intent || !isSingleUse(intent)) return;
  const given = assignmentOf(machine);
  if (given) assert.equal('profile' in intent && intent.profile, given.variables['profile']);
  const armed = model.armed.get(epoch);
  const held = JSON.stringify([intent, given]);
  if (armed !== undefined) assert.equal(held, armed, `epoch ${epoch} is armed twice`);
  model.armed.set(epoch, held);
}

/** Sends records: at most the state changes by them, and by none of another epoch than that of the work. */
async function send(real: Real, records: readonly JournalRecord[], edge: Edge): Promise<void> {
  for (const record of records) {
    const before = await real.machine();
    await real.send([record], edge);
    const after = await real.machine();
    if (!before || !after) continue;
    assert.deepEqual([after.intent, after.epoch], [before.intent, before.epoch], 'a journal arms nothing');
    requireFenced(before, after, record);
  }
}

function requireFenced(before: Machine, after: Machine, record: JournalRecord): void {
  if (before.state === after.state) return;
  const isEarly = after.state === 'discovered' || after.state === 'inspecting';
  const epoch = record.epoch ?? record.spentEpoch;
  if (!(isEarly && before.state !== 'wiping' && before.state !== 'failed'))
    assert.equal(epoch, before.workEpoch, `a late ${record.stage} moved it to ${after.state}`);
  if (after.state === 'available') {
    assert.deepEqual([record.stage, record.spentEpoch, record.cause], ['wipe', before.workEpoch, undefined]);
    assert.ok(before.intent?.kind === 'wipe' && before.intent.disks === 'all');
  }
}

interface Step {
  readonly name: string;
  readonly act: (model: Model, real: Real) => Promise<unknown>;
  /** The controller is killed at this commit of it. */
  readonly death?: { readonly inCommits: number; readonly side: 'before' | 'after' };
  /** Whoever sends it repeats it until it is answered. */
  readonly repeats?: true;
}

class Taken implements fc.AsyncCommand<Model, Real> {
  readonly #step: Step;

  constructor(step: Step) {
    this.#step = step;
  }

  check(): boolean {
    return true;
  }

  async run(model: Model, real: Real): Promise<void> {
    const { act, death, repeats } = this.#step;
    if (death) real.store.killIn(death.inCommits, death.side);
    const done = await real.store.outlive(async () => {
      await act(model, real).catch((error: unknown) => {
        // What is refused changes nothing.
        if (!(error instanceof Problem)) throw error;
      });
      return true;
    });
    real.store.spare();
    if (done !== true && repeats) await act(model, real);
    await requireSound(model, real);
  }

  toString(): string {
    return `${this.#step.name}${this.#step.death ? ` killed ${this.#step.death.side}` : ''}`;
  }
}

const aDeath = fc.option(
  fc.record({ inCommits: fc.constant(1), side: fc.constantFrom('before' as const, 'after' as const) }),
  { nil: undefined, freq: 4 },
);

function command(steps: fc.Arbitrary<Step>): fc.Arbitrary<Taken> {
  return fc
    .tuple(steps, aDeath)
    .map(([step, death]) => new Taken(death === undefined ? step : { ...step, death }));
}

interface Fate {
  readonly back: number;
  readonly isOver: boolean;
  readonly fails: boolean;
}

/** A record of this epoch or of one before, as an edge writes it. */
function recordOf(real: Real, machine: Machine | undefined, stage: BootStage, fate: Fate, edge: Edge) {
  const epoch = Math.max(1, (machine?.epoch ?? 1) - fate.back);
  const isWork = stage === 'install' || stage === 'wipe' || stage === 'first-boot';
  const isInstaller = stage === 'answers' || stage === 'installed';
  const cause =
    stage === 'wipe' ? 'wipe_failed' : stage === 'first-boot' ? 'no_first_boot' : 'install_failed';
  return real.record(
    {
      stage,
      netboot: true,
      ...(stage === 'script' ? { next: fate.isOver ? 'nothing' : 'agent' } : {}),
      ...(isWork ? { epoch } : {}),
      ...(isInstaller || (fate.isOver && (isWork || stage === 'script')) ? { spentEpoch: epoch } : {}),
      ...(isWork && fate.fails ? { cause } : {}),
    },
    edge,
  );
}

/** What an assignment says stands in its variables as well, so that a mixture shows. */
const ASSIGNMENTS: readonly Assignment[] = [
  ['wide', ''],
  ['segment', 'segment=seg1'],
  ['twin', 'segment=seg1'],
  ['own', `mac=${MAC}`],
].flatMap(([name = '', match = '']) =>
  ['web', 'db'].map((profile) =>
    Assignment.parse({ name, match, profile, kernelArguments: [name], variables: { profile } }),
  ),
);

const aFate = fc.record({ back: fc.constantFrom(0, 0, 0, 1, 2), isOver: fc.boolean(), fails: fc.boolean() });

const COMMANDS = [
  command(
    fc.constantFrom(...INTENTS).map((intent) => ({
      name: `give ${JSON.stringify(intent)}`,
      act: (_, real) => real.give(intent),
    })),
  ),
  command(
    fc.tuple(fc.constantFrom(...STAGES), aFate).map(([stage, fate]) => {
      let told: JournalRecord | undefined;
      return {
        name: `tell ${stage} ${JSON.stringify(fate)}`,
        repeats: true,
        act: async (model, real) => {
          told ??= recordOf(real, await real.machine(), stage, fate, 'edge1');
          model.last = [told];
          await send(real, [told], 'edge1');
        },
      };
    }),
  ),
  command(
    fc.tuple(fc.constantFrom(...STAGES), aFate).map(([stage, fate]) => ({
      name: `hold back ${stage} ${JSON.stringify(fate)}`,
      act: async (model, real) => {
        model.held.push(recordOf(real, await real.machine(), stage, fate, 'edge2'));
      },
    })),
  ),
  command(
    fc.constant<Step>({
      name: 'tell late',
      repeats: true,
      act: async (model, real) => {
        await send(real, model.held, 'edge2');
        model.held = [];
      },
    }),
  ),
  command(
    fc.constant<Step>({
      name: 'tell twice',
      act: async (model, real) => {
        if (model.last.length === 0) return;
        const before = await real.store.revision();
        await real.send(model.last);
        assert.equal(await real.store.revision(), before, 'what was taken already changes nothing');
      },
    }),
  ),
  command(fc.constant<Step>({ name: 'inspect', repeats: true, act: (_, real) => real.inspect() })),
  command(
    fc.constantFrom(...MachineStateChange.shape.to.options).map((to) => ({
      name: `say ${to}`,
      act: (_, real) => real.lives.override(MAC, { to, reason: 'said' }, real.now),
    })),
  ),
  command(
    fc.subarray([...ASSIGNMENTS], { maxLength: 3 }).map((assignments) => ({
      name: `assign ${assignments.map(({ name, profile }) => `${name}: ${profile}`)}`,
      act: (_, real) => real.store.commit({ put: { assignments } }),
    })),
  ),
  command(
    fc.constant<Step>({
      name: 'install what is assigned',
      act: (_, real) => real.installs.install(MAC, real.now),
    }),
  ),
  command(
    fc.boolean().map((isOn) => ({
      name: `maintenance ${isOn}`,
      act: (_, real) => real.lives.maintain(MAC, { isOn, reason: 'said' }, real.now),
    })),
  ),
  command(
    fc.constant<Step>({
      name: 'release',
      act: (_, real) => real.lives.release(MAC, { reason: 'said', method: 'auto' }, real.now),
    }),
  ),
  command(
    fc.constantFrom(60, 1800, 7 * 3600, 49 * 3600).map((seconds) => {
      let passed = false;
      return {
        name: `let ${seconds} s pass`,
        repeats: true,
        act: async (_, real) => {
          if (!passed) real.pass(seconds);
          passed = true;
          await real.watch.look(real.now);
          const { deadlineAt } = (await real.machine()) ?? {};
          assert.ok(
            deadlineAt === undefined || deadlineAt > real.now.toISOString(),
            'no deadline is passed over',
          );
        },
      };
    }),
  ),
];

test('whatever edges, operators, time and crashes do to a machine: no move that is not in the table, no epoch armed twice, no late word that moves it, no failure without a cause', async () => {
  await fc.assert(
    fc.asyncProperty(fc.commands(COMMANDS, { maxCommands: 40, size: 'max' }), async (commands) => {
      const real = await LifeUnderTest.make(new MortalStore(), { unknownMachines: { perHour: 1 } });
      await fc.asyncModelRun(() => ({ model: { armed: new Map(), held: [], last: [] }, real }), commands);
    }),
    { numRuns: 150 },
  );
});
