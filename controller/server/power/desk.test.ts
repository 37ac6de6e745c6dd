import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  Bmc,
  Machine,
  POWER_TRANSITIONS,
  type PowerAction,
  type PowerState,
  problem,
} from '@bootswarm/controller/contract';
import fc from 'fast-check';
import { takeJournal } from '../machines/journal.ts';
import { machineKey } from '../machines/keys.ts';
import { MachineDraft } from '../machines/machine-draft.ts';
import { MemoryStore } from '../store/memory-store.ts';
import type { Change, Entry, Outcome, Page, StateStore } from '../store/state-store.ts';
import { transact } from '../store/transact.ts';
import { FakeBmc } from '../testing/fake-bmc.ts';
import { PowerDesk } from './desk.ts';

const MAC = '52:54:00:00:00:01';
const BMC = Bmc.parse({ kind: 'command', program: 'fake' });
const PACE = { settleMs: 20, pollMs: 1, retryMs: 1, tries: 3 };
const DEADLINES = { waiting: 60_000, running: 10_000, booting: 60_000 };

/** A controller's hold of the store: once it is killed it gets no answer any more, and changes nothing. */
class Life implements StateStore {
  readonly #store: StateStore;
  /** Commits, and calls of the BMC, until the controller is killed. */
  #movesLeft: number;

  constructor(store: StateStore, moves = Number.POSITIVE_INFINITY) {
    this.#store = store;
    this.#movesLeft = moves;
  }

  /** @returns never, once the controller is dead. */
  async move(): Promise<void> {
    if (this.#movesLeft <= 0) return new Promise(() => {});
    this.#movesLeft -= 1;
  }

  end(): void {
    this.#movesLeft = 0;
  }

  async commit(change: Change): Promise<Outcome> {
    await this.move();
    return this.#store.commit(change);
  }

  get(key: string): Promise<Entry | undefined> {
    return this.#store.get(key);
  }

  list(prefix: string, page?: Page): Promise<readonly Entry[]> {
    return this.#store.list(prefix, page);
  }

  revision(): Promise<number> {
    return this.#store.revision();
  }

  changesSince(revision: number): Promise<ReadonlySet<string> | undefined> {
    return this.#store.changesSince(revision);
  }

  watch(onChange: () => void): () => void {
    return this.#store.watch(onChange);
  }

  close(): Promise<void> {
    return this.#store.close();
  }
}

interface Ground {
  readonly store: MemoryStore;
  readonly bmc: FakeBmc;
  readonly states: PowerState[];
  /** A controller of its own over what is kept. */
  desk(deadlines?: typeof DEADLINES, life?: Life): PowerDesk;
  power(): Promise<Machine['power']>;
  /** The power once its action is over, or an edge is to see the machine. */
  end(): Promise<Machine['power']>;
}

async function lay(): Promise<Ground> {
  const store = new MemoryStore();
  const bmc = new FakeBmc();
  await transact(store, 'machine', async (reads) => {
    const draft = new MachineDraft(reads);
    await draft.keep({ id: 'm-1', macs: [MAC], bmc: BMC });
    return { put: draft.put, result: undefined };
  });
  const power = async () => Machine.parse((await store.get(machineKey('m-1')))?.value).power;
  const states: PowerState[] = [];
  store.watch(() => {
    void power().then((found) => found && states.push(found.state));
  });
  const desk = (deadlinesMs = DEADLINES, life = new Life(store)) =>
    new PowerDesk({
      store: life,
      driverOf: async () => bmc.driver(),
      checkBmc: () => {},
      holdSecret: async () => ({}),
      onDefect: (error) => assert.fail(error as Error),
      pace: PACE,
      deadlinesMs,
    });
  const end = async () => {
    for (;;) {
      const found = await power();
      if (found && found.state !== 'waiting' && found.state !== 'running') return found;
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  return { store, bmc, states, desk, power, end };
}

/** A controller that is killed stops nothing in order; here its waits must end with the test. */
function bury(life: Life, desk: PowerDesk): void {
  life.end();
  void desk.stop();
}

/** Whatever goes on without a clock has gone on. */
async function someTurns(): Promise<void> {
  for (let turn = 0; turn < 60; turn++) await new Promise((resolve) => setImmediate(resolve));
}

const actions: readonly (readonly [PowerAction, 'on' | 'off', readonly string[], PowerState])[] = [
  ['status', 'on', [], 'done'],
  ['on', 'off', ['on'], 'done'],
  ['on', 'on', [], 'done'],
  ['off', 'on', ['off'], 'done'],
  ['off', 'off', [], 'done'],
  ['cycle', 'on', ['off', 'on'], 'done'],
  ['cycle', 'off', ['on'], 'done'],
  ['reset', 'on', ['reset'], 'done'],
  ['reset', 'off', [], 'failed'],
  ['pxe', 'on', ['off', 'on from the network'], 'booting'],
  ['pxe', 'off', ['on from the network'], 'booting'],
];

for (const [action, before, acts, state] of actions)
  test(`${action} of a machine that is ${before}: ${acts.join(', ') || 'nothing'}`, async () => {
    const { bmc, desk, end, states } = await lay();
    bmc.power = before;
    const running = desk();
    await running.order('m-1', { action });
    const power = await end();
    assert.deepEqual([bmc.acts, power?.state, bmc.open], [acts, state, 0]);
    if (state === 'failed') assert.equal(power?.cause?.code, 'power_is_off');
    for (const [at, next] of states.slice(1).entries()) {
      const last = states[at] ?? 'waiting';
      assert.ok(next === last || POWER_TRANSITIONS[last].includes(next), `${last} to ${next}`);
    }
    await running.stop();
  });

test('a controller killed at any moment: the next one brings the same end, and nothing is done twice', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom<PowerAction>('on', 'off', 'cycle', 'reset', 'pxe'),
      fc.constantFrom<'on' | 'off'>('on', 'off'),
      fc.array(fc.nat({ max: 14 }), { maxLength: 4 }),
      async (action, before, lives) => {
        const { store, bmc, desk, power, end } = await lay();
        bmc.power = before;
        let isOrdered = false;
        const begin = (life: Life): PowerDesk => {
          // A call of a killed controller may yet reach the BMC, or may not; its answer reaches nobody.
          bmc.onCall = () => life.move();
          const running = desk(DEADLINES, life);
          if (isOrdered) void running.resume();
          else void running.order('m-1', { action }).catch(() => {});
          return running;
        };
        for (const moves of lives) {
          const life = new Life(store, moves);
          const dead = begin(life);
          // Whatever it can do in so many moves, it does in these turns.
          await someTurns();
          bury(life, dead);
          isOrdered = (await power()) !== undefined;
        }
        const running = begin(new Life(store));
        const last = await end();
        const count = (act: string) => bmc.acts.filter((each) => each.startsWith(act)).length;
        assert.ok(count('off') <= 1 && count('on') <= 1 && count('reset') <= 1, bmc.acts.join());
        if (action === 'reset') {
          // Done, or said to be unknown: never done and told to have failed for another reason.
          assert.ok(
            before === 'off'
              ? last?.cause?.code === 'power_is_off'
              : last?.state === 'done' || last?.cause?.code === 'power_unsure',
          );
          if (last?.state === 'done') assert.equal(count('reset'), 1);
        } else {
          assert.equal(last?.state, action === 'pxe' ? 'booting' : 'done');
          assert.equal(bmc.power, action === 'off' ? 'off' : 'on');
          if (before === 'on' && (action === 'cycle' || action === 'pxe')) assert.equal(count('off'), 1);
          if (action === 'pxe') assert.ok(bmc.acts.includes('on from the network'));
        }
        await running.stop();
      },
    ),
    { numRuns: 150 },
  );
});

test('a second action waits for nobody: it is refused while one goes on', async () => {
  const { bmc, desk, end } = await lay();
  const go = Promise.withResolvers<void>();
  bmc.onCall = () => go.promise;
  const running = desk();
  await running.order('m-1', { action: 'on' });
  await assert.rejects(running.order(MAC, { action: 'off' }), { code: 'power_busy' });
  go.resolve();
  assert.equal((await end())?.state, 'done');
  await running.order('m-1', { action: 'off' });
  assert.equal((await end())?.number, 2);
  await running.stop();
});

const failures: readonly (readonly [string, string, (bmc: FakeBmc) => void])[] = [
  [
    'lies',
    'bmc_lied',
    (bmc) => {
      bmc.lies = true;
    },
  ],
  [
    'is silent',
    'bmc_silent',
    (bmc) => {
      bmc.onCall = () => Promise.reject(silent());
    },
  ],
  [
    'answers garbage',
    'bmc_garbage',
    (bmc) => {
      bmc.onCall = () =>
        Promise.reject(problem('bmc_garbage', { facts: { address: 'a', what: 'b', reason: 'c' } }));
    },
  ],
];

for (const [what, code, misbehave] of failures)
  test(`a BMC that ${what} is ${code}, kept with the machine`, async () => {
    const { bmc, desk, end } = await lay();
    misbehave(bmc);
    const running = desk();
    await running.order('m-1', { action: 'on' });
    const power = await end();
    assert.deepEqual([power?.state, power?.cause?.code], ['failed', code]);
    assert.equal(bmc.calls.length, code === 'bmc_silent' ? PACE.tries : bmc.calls.length);
    await running.stop();
  });

test('an order whose answer was lost is not given again where the power tells that it was taken', async () => {
  const { bmc, desk, end } = await lay();
  let lost = 1;
  bmc.onCall = async (moment, call) => {
    if (moment === 'after' && call === 'on' && lost-- > 0) throw silent();
  };
  const running = desk();
  await running.order('m-1', { action: 'on' });
  assert.equal((await end())?.state, 'done');
  assert.deepEqual(bmc.acts, ['on']);
  await running.stop();
});

test('a reset whose answer was lost is not given again, and said to be unknown', async () => {
  const { bmc, desk, end } = await lay();
  bmc.power = 'on';
  bmc.onCall = async (moment, call) => {
    if (moment === 'after' && call === 'reset') throw silent();
  };
  const running = desk();
  await running.order('m-1', { action: 'reset' });
  assert.equal((await end())?.cause?.code, 'power_unsure');
  assert.deepEqual(bmc.acts, ['reset']);
  await running.stop();
});

test('a BMC that never answers is given up at the deadline', async () => {
  const { bmc, desk, end } = await lay();
  bmc.onCall = () => Promise.reject(silent());
  const running = desk({ ...DEADLINES, running: 1 });
  await running.order('m-1', { action: 'on' });
  assert.match((await end())?.cause?.code ?? '', /power_late|bmc_silent/);
  await running.stop();
});

test('what was ordered long ago is not done when a controller starts', async () => {
  const { store, bmc, desk, end } = await lay();
  const life = new Life(store, 1);
  const dead = desk({ ...DEADLINES, waiting: -1 }, life);
  await dead.order('m-1', { action: 'on' });
  await someTurns();
  bury(life, dead);
  const running = desk();
  await running.resume();
  assert.equal((await end())?.cause?.code, 'power_late');
  assert.deepEqual(bmc.acts, []);
  await running.stop();
});

test('a machine that boots from the network is seen by its edge; one that does not is told by name', async () => {
  const { store, desk, end, power } = await lay();
  await store.commit({ put: { 'edges/edge1': { name: 'edge1', journalSeq: 0 } } });
  const tell = (seq: number, stage: 'lease' | 'script', secondsAgo = 0) => {
    const at = new Date(Date.now() - secondsAgo * 1000).toISOString();
    return takeJournal(store, 'edge1', [{ seq, at, stage, mac: MAC, detail: '' }]);
  };
  const running = desk({ ...DEADLINES, booting: 1000 });
  await running.order('m-1', { action: 'pxe' });
  assert.equal((await end())?.state, 'booting');
  // The installed system asks for an address as well: that is no boot from the network.
  await tell(1, 'lease');
  await someTurns();
  assert.equal((await power())?.state, 'booting');
  // Nor is what an edge that was cut off tells of the boot before.
  await tell(2, 'script', 90);
  await someTurns();
  assert.equal((await power())?.state, 'booting');
  // Its clock may be a little late.
  await tell(3, 'script', 20);
  const after = (await power())?.changes ?? 0;
  await running.show('m-1', after, 1000, AbortSignal.timeout(1000));
  assert.equal((await power())?.state, 'done');

  await running.order('m-1', { action: 'pxe' });
  const booting = await end();
  const shown = await running.show('m-1', booting?.changes ?? 0, 5000, AbortSignal.timeout(5000));
  assert.deepEqual([shown.power?.state, shown.power?.cause?.code], ['failed', 'bmc_ignored_override']);
  await running.stop();
});

test('a machine without a BMC, and an action that its kind cannot do, are refused before anything is kept', async () => {
  const { desk, power } = await lay();
  const running = desk();
  await running.setBmc('m-1', Bmc.parse({ kind: 'wol' }));
  await assert.rejects(running.order('m-1', { action: 'off' }), { code: 'bmc_unable', field: 'action' });
  await running.removeBmc('m-1');
  await assert.rejects(running.order('m-1', { action: 'on' }), { code: 'bmc_none' });
  await assert.rejects(running.order('m-9', { action: 'on' }), { code: 'not_found' });
  assert.equal(await power(), undefined);
});

function silent(): Error {
  return problem('bmc_silent', { facts: { address: 'a', what: 'b' } });
}
