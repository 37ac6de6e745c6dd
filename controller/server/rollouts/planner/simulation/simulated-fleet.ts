import assert from 'node:assert/strict';
import {
  type Intent,
  ROLLOUT_STATES,
  type Rollout,
  type RolloutLimits,
  type RolloutMachine,
  type RolloutPlace,
  type RolloutState,
  rolloutMoves,
} from '@bootswarm/controller/contract';
import {
  type Action,
  afterErrand,
  type ErrandKind,
  intentOfRollout,
  isInFlight,
  type Move,
  moved,
  type RolloutView,
  type Seen,
  type SiteView,
  tick,
  turned,
  withWave,
} from '../index.ts';

const SETTLE_MS = 10_000;
const LISTEN_MS = 35_000;

/** What a machine really is, beside what its rollout knows of it. */
interface Truth {
  epoch: number;
  intent: Intent;
  /** What its edges told, and under which epoch. */
  told: { epoch: number; seen: Seen };
  /** The epoch of each power action that was carried out, with what was known at that moment. */
  readonly powered: number[];
  /** The step for which the last one was ordered. */
  orderedSince?: string;
  readonly armed: { readonly rollout: string; readonly isUndo: boolean }[];
}

interface Held {
  rollout: Rollout;
  readonly machines: Map<string, RolloutMachine>;
}

/**
 * Machines, edges and hooks that behave as they are told, with the commits of a desk in between; every commit is held
 * against the rules that no rollout may break.
 */
export class SimulatedFleet {
  now = new Date('2026-03-02T08:00:00.000Z');
  /** Of a controller that was just started, in the future. */
  powerFrom = new Date(0);
  readonly held = new Map<string, Held>();
  readonly truths = new Map<string, Truth>();
  /** Errands that go on; the memory of a controller, lost when it is killed. */
  readonly errands = new Map<string, ErrandKind>();
  /** Segments whose edges lack every release. */
  readonly lacking = new Set<string>();
  /** What the planner took for each tick in milliseconds: of this thread's CPU, and until it was through. */
  readonly planMs: { readonly cpu: number; readonly wall: number }[] = [];
  readonly #edges: (segment: string) => readonly string[];
  readonly #checkEach: 'commit' | 'tick';

  /** @param checkEach when limits are held against what is in flight: a large fleet is looked through once a tick. */
  constructor(
    edgesOf: (segment: string) => readonly string[] = (segment) => [`edge-of-${segment}`],
    checkEach: 'commit' | 'tick' = 'commit',
  ) {
    this.#edges = edgesOf;
    this.#checkEach = checkEach;
  }

  /** Keeps a rollout as its start would. */
  start(rollout: Rollout, machines: readonly RolloutMachine[]): void {
    this.held.set(rollout.order.name, {
      rollout,
      machines: new Map(machines.map((each) => [each.machine, each])),
    });
    for (const { machine, before } of machines)
      this.truths.set(machine, {
        epoch: 3,
        intent: before ?? { kind: 'local' },
        told: { epoch: 3, seen: { kind: 'up' } },
        powered: [],
        armed: [],
      });
  }

  site(): SiteView {
    const rollouts = Array.from(
      this.held.values(),
      ({ rollout, machines }): RolloutView => ({ rollout, machines: [...machines.values()] }),
    );
    return {
      now: this.now,
      settleMs: SETTLE_MS,
      powerFrom: this.powerFrom,
      rollouts: rollouts.filter(({ rollout }) => !ROLLOUT_STATES[rollout.state].isOver),
      seen: (record) => this.#seen(record),
      busy: new Set(this.errands.keys()),
      edgesOf: this.#edges,
      lackOf: (_release, segment) =>
        segment === undefined || this.lacking.has(segment) ? 'its edge lacks the root' : undefined,
    };
  }

  /** One tick, of whose actions the first `most` are carried out before the controller is killed. */
  tick(most = Number.POSITIVE_INFINITY): readonly Action[] {
    const site = this.site();
    const [from, cpu] = [performance.now(), process.threadCpuUsage()];
    const actions = tick(site);
    const used = process.threadCpuUsage(cpu);
    this.planMs.push({ cpu: (used.user + used.system) / 1000, wall: performance.now() - from });
    for (const action of actions.slice(0, most)) this.#carryOut(action, site);
    if (actions.length > most) this.killController();
    if (this.#checkEach === 'tick') this.requireLimits();
    return actions;
  }

  /** The controller was killed: what went on outside is unknown to the next one, which first listens. */
  killController(): void {
    this.errands.clear();
    this.powerFrom = new Date(this.now.getTime() + LISTEN_MS);
  }

  /** The end of an errand that goes on. */
  answer(machine: string, ok: boolean): void {
    const errand = this.errands.get(machine);
    const found = this.#find(machine);
    if (errand === undefined || !found) return;
    this.errands.delete(machine);
    const end = ok ? { ok: true as const } : { ok: false as const, detail: 'it answered 500' };
    const next = afterErrand(found.record, found.held.rollout, errand, end);
    if (next !== undefined) this.#commit(next);
  }

  /** What an edge tells of a machine; of an epoch before where `isLate`. */
  tell(machine: string, seen: Seen, isLate = false): void {
    const truth = this.truths.get(machine);
    if (!truth) return;
    if (isLate) {
      // The controller passes over what is told of an epoch that is over.
      if (truth.told.epoch < truth.epoch) truth.told = { epoch: truth.told.epoch, seen };
    } else truth.told = { epoch: truth.epoch, seen };
  }

  /** An operator's command; one that the state does not allow is refused, and changes nothing. */
  command(name: string, to: RolloutState): boolean {
    const held = this.held.get(name);
    if (!held || !rolloutMoves(held.rollout.state, 'operator').includes(to)) return false;
    held.rollout = turned(held.rollout, to, this.now);
    return true;
  }

  approve(name: string): void {
    const held = this.held.get(name);
    if (held?.rollout.state !== 'running') return;
    if (held.rollout.waves[held.rollout.wave]?.state === 'awaiting')
      held.rollout = withWave(held.rollout, 'running', this.now);
  }

  /** Somebody else sets an intent. */
  takeOver(machine: string): void {
    const truth = this.truths.get(machine);
    if (truth) Object.assign(truth, { epoch: truth.epoch + 1, intent: { kind: 'local' } });
  }

  pass(minutes: number): void {
    this.now = new Date(this.now.getTime() + minutes * 60_000);
  }

  #seen({ machine, epoch }: RolloutMachine): Seen {
    const truth = this.truths.get(machine);
    if (!truth) return { kind: 'gone' };
    if (epoch !== undefined && truth.epoch !== epoch) return { kind: 'superseded' };
    return truth.told.epoch === truth.epoch ? truth.told.seen : { kind: 'nothing' };
  }

  #find(machine: string): { readonly held: Held; readonly record: RolloutMachine } | undefined {
    for (const held of this.held.values()) {
      const record = held.machines.get(machine);
      if (record && !ROLLOUT_STATES[held.rollout.state].isOver) return { held, record };
    }
    return undefined;
  }

  #carryOut(action: Action, site: SiteView): void {
    switch (action.kind) {
      case 'turn': {
        const held = this.held.get(action.rollout);
        assert.ok(held);
        held.rollout = action.next;
        return;
      }
      case 'errand':
        if (action.errand === 'power') this.#power(action.machine);
        assert.ok(!this.errands.has(action.machine), 'one errand of a machine at a time');
        this.errands.set(action.machine, action.errand);
        return;
      case 'move':
        this.#requireAllowed(action, site);
        this.#commit(action);
    }
  }

  #commit(move: Move): void {
    const held = this.held.get(move.rollout);
    const record = held?.machines.get(move.machine);
    const truth = this.truths.get(move.machine);
    assert.ok(held && record && truth);
    if (move.arm !== undefined) {
      truth.epoch += 1;
      truth.intent = move.arm;
      const isUndo = move.to.startsWith('undo');
      truth.armed.push({ rollout: move.rollout, isUndo });
      const times = truth.armed.filter((each) => each.rollout === move.rollout && each.isUndo === isUndo);
      assert.equal(times.length, 1, `${move.machine} is armed once each way`);
    }
    const epoch = move.arm === undefined ? undefined : truth.epoch;
    const next = moved(record, move, held.rollout, { now: this.now, epoch });
    held.machines.set(move.machine, next);
    this.errands.delete(move.machine);
    if (move.to === 'powering' || move.to === 'undo_powering')
      assert.equal(this.#seen(next).kind, 'nothing', 'who has begun is not cut off');
    if (this.#checkEach === 'commit') this.requireLimits();
  }

  /** An order of a power action is kept once for each commit that wanted one, whoever was killed in between. */
  #power(machine: string): void {
    const { record } = this.#find(machine) ?? assert.fail();
    const truth = this.truths.get(machine) ?? assert.fail();
    if (truth.orderedSince === record.since) return;
    assert.equal(this.#seen(record).kind, 'nothing', 'who has begun is not cut off');
    assert.ok(this.now >= this.powerFrom, 'nobody is switched before edges were listened to');
    truth.orderedSince = record.since;
    truth.powered.push(truth.epoch);
    const times = truth.powered.filter((each) => each === truth.epoch).length;
    assert.ok(times <= 2 && times <= (record.powerActions ?? 0), `${times} power actions for one epoch`);
  }

  #requireAllowed({ machine, from, to, rollout: name, arm }: Move, site: SiteView): void {
    const held = this.held.get(name);
    const record = held?.machines.get(machine);
    assert.ok(held && record);
    const { rollout } = held;
    if (from === 'waiting' && to !== 'failed') {
      assert.equal(rollout.state, 'running', 'only a running rollout takes machines on');
      assert.equal(record.wave, rollout.wave, 'and only those of its present wave');
      assert.equal(rollout.waves[record.wave]?.state, 'running');
      for (const before of rollout.waves.slice(0, record.wave))
        assert.equal(before.state, 'done', 'no wave begins before the one before it is through');
    }
    if (arm !== undefined && (to === 'armed' || to === 'undo_armed'))
      assert.equal(site.lackOf('', record.place.segment), undefined, 'no edge is used that is not ready');
    if (to === 'armed') {
      assert.equal(rollout.state, 'running');
      assert.deepEqual(arm, intentOfRollout(rollout));
    }
  }

  /** Every limit of every rollout, at this moment. @throws AssertionError */
  requireLimits(): void {
    const load = new Map<string, number>();
    const owners = new Map<string, { name: string; limits: RolloutLimits; keys: Set<string> }>();
    for (const { rollout, machines } of this.held.values()) {
      const { name, limits } = rollout.order;
      const keys = new Set<string>();
      for (const record of machines.values()) {
        if (!isInFlight(record)) continue;
        for (const key of [`rollout ${name}`, ...this.#keysOf(record.place)]) {
          load.set(key, (load.get(key) ?? 0) + 1);
          keys.add(key);
        }
      }
      owners.set(name, { name, limits, keys });
    }
    for (const { name, limits, keys } of owners.values())
      for (const key of keys) {
        const most = limitOf(key, limits);
        assert.ok((load.get(key) ?? 0) <= most, `${key} holds ${load.get(key)}, and ${name} allows ${most}`);
      }
  }

  #keysOf({ segment, rack, uplink }: RolloutPlace): readonly string[] {
    return [
      ...(segment === undefined ? [] : [`segment ${segment}`]),
      ...(segment === undefined ? [] : this.#edges(segment).map((edge) => `edge ${edge}`)),
      ...(rack === undefined ? [] : [`rack ${rack}`]),
      ...(uplink === undefined ? [] : [`uplink ${uplink}`]),
    ];
  }
}

function limitOf(key: string, limits: RolloutLimits): number {
  const none = Number.POSITIVE_INFINITY;
  switch (key.split(' ')[0]) {
    case 'rollout':
      return limits.atOnce;
    case 'segment':
      return limits.perSegment ?? none;
    case 'edge':
      return limits.perEdge ?? none;
    case 'rack':
      return limits.perRack ?? none;
    default:
      return limits.perUplink ?? none;
  }
}
