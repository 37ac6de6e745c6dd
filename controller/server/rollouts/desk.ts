import type { Rollout, RolloutMachine } from '@bootswarm/controller/contract';
import type { StateStore } from '../store/state-store.ts';
import type { Board } from './board.ts';
import { type CommitParts, commitArmed, commitMoves, commitTurn, STALE } from './commits.ts';
import type { Errands } from './errands.ts';
import { type Action, afterErrand, type Errand, type ErrandEnd, type Move, tick } from './planner/index.ts';
import type { Sight } from './sight.ts';

/** Deadlines, soaking and windows come without a change in the store. */
const LOOK_MS = 5_000;
/** An agent that waits hears of an intent within a second or two, and first verifies what it is to install. */
const SETTLE_MS = 10_000;
/** Edges that found no controller try again after 30 s at most. */
const LISTEN_MS = 35_000;
/** Moves in one commit. */
const BATCH = 100;
/** Ticks in a row before others get their turn. */
const TICKS_MOST = 50;

export interface DeskParts extends CommitParts {
  readonly store: StateStore;
  readonly board: Board;
  readonly sight: Sight;
  readonly errands: Errands;
  readonly clock?: () => Date;
  /** As of `SiteView`. */
  readonly settleMs?: number;
  /** From the start on, before any power is switched. */
  readonly listenMs?: number;
  readonly onDefect?: (error: unknown) => void;
}

/**
 * The one that moves rollouts: looks, has the planner decide, commits each decision, and only then does what it is
 * about. Killed anywhere, the next one finds what was committed and decides the same.
 */
export class RolloutDesk {
  readonly #parts: Required<DeskParts>;
  #turn: Promise<unknown> = Promise.resolve();
  #timer: NodeJS.Timeout | undefined;
  #unwatch: (() => void) | undefined;
  #isWaiting = false;
  #isStopped = false;
  readonly #powerFrom: Date;

  constructor(parts: DeskParts) {
    const defaults = {
      clock: () => new Date(),
      settleMs: SETTLE_MS,
      listenMs: LISTEN_MS,
      onDefect: () => {},
    };
    this.#parts = { ...defaults, ...parts };
    this.#powerFrom = new Date(this.#parts.clock().getTime() + this.#parts.listenMs);
  }

  /** Goes on with what the controller before left, and from then on whenever something changes. */
  async start(lookMs = LOOK_MS): Promise<void> {
    await this.inTurn(() => this.#parts.board.load(this.#parts.store));
    const wake = (): void => {
      if (this.#isWaiting || this.#isStopped) return;
      this.#isWaiting = true;
      this.run().catch(this.#parts.onDefect);
    };
    this.#unwatch = this.#parts.store.watch(wake);
    this.#timer = setInterval(wake, lookMs).unref();
    wake();
  }

  /** Ticks until nothing is left to be done now. */
  run(): Promise<void> {
    return this.inTurn(async () => {
      this.#isWaiting = false;
      for (let ticks = 0; ticks < TICKS_MOST && !this.#isStopped; ticks++) if (!(await this.#tick())) return;
    });
  }

  /** What is done here and nowhere else at the same time: operators' commands as well. */
  inTurn<T>(act: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(act, act);
    this.#turn = done.catch(() => {});
    return done;
  }

  /** What goes on outside is left as it stands; the next controller begins it anew. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    clearInterval(this.#timer);
    this.#unwatch?.();
    await this.#parts.errands.stop();
    await this.#turn;
  }

  /** @returns whether anything changed. */
  async #tick(): Promise<boolean> {
    const { board, sight, errands, clock, settleMs } = this.#parts;
    if (board.views().length === 0) return false;
    const seen = await sight.look(board, errands.busy, clock());
    const site = { ...seen, settleMs, powerFrom: this.#powerFrom };
    const byRollout = Map.groupBy(tick(site), ({ rollout }) => rollout);
    let isChanged = false;
    for (const [name, actions] of byRollout) {
      const view = board.get(name);
      if (view && (await this.#carryOut(view.rollout, actions))) isChanged = true;
    }
    return isChanged;
  }

  /** The actions of one rollout, in order; the first that is stale ends them. @returns whether anything was committed. */
  async #carryOut(rollout: Rollout, actions: readonly Action[]): Promise<boolean> {
    let isChanged = false;
    let batch: Move[] = [];
    const flush = async (): Promise<boolean> => {
      const moves = batch;
      batch = [];
      if (moves.length === 0) return true;
      const records = await commitMoves(this.#parts, rollout, moves, this.#parts.clock());
      if (records === STALE) return false;
      this.#noted(rollout, records);
      isChanged = true;
      return true;
    };
    for (const action of actions) {
      if (action.kind === 'errand') {
        this.#begin(action, rollout);
        continue;
      }
      if (action.kind === 'move' && action.arm === undefined) {
        batch.push(action);
        if (batch.length >= BATCH && !(await flush())) break;
        continue;
      }
      if (!(await flush())) break;
      const done =
        action.kind === 'move' ? await this.#arm(rollout, action) : await this.#next(rollout, action.next);
      if (!done) break;
      isChanged = true;
    }
    await flush();
    return isChanged;
  }

  async #arm(rollout: Rollout, move: Move): Promise<boolean> {
    const record = await commitArmed(this.#parts, rollout, move, this.#parts.clock());
    if (record === STALE) return false;
    this.#noted(rollout, [record]);
    return true;
  }

  async #next(rollout: Rollout, next: Rollout): Promise<boolean> {
    const { board } = this.#parts;
    const machines = board.get(rollout.order.name)?.machines ?? [];
    const turned = await commitTurn(this.#parts, rollout.revision, next, machines);
    if (turned === STALE) return false;
    board.turn(turned);
    return true;
  }

  #begin(errand: Errand, rollout: Rollout): void {
    const { board, errands } = this.#parts;
    const record = board.record(errand.rollout, errand.machine);
    if (record === undefined) return;
    errands.begin(errand, rollout, record, (end) => this.#ended(errand, record, end));
  }

  /** How an errand went is committed by whatever the rollout and the machine are by then. */
  #ended(errand: Errand, begun: RolloutMachine, end: ErrandEnd): Promise<void> {
    return this.inTurn(async () => {
      const view = this.#parts.board.get(errand.rollout);
      const record = this.#parts.board.record(errand.rollout, errand.machine);
      if (!view || record?.since !== begun.since) return;
      const move = afterErrand(record, view.rollout, errand.errand, end);
      if (move === undefined) return;
      const records = await commitMoves(this.#parts, view.rollout, [move], this.#parts.clock());
      if (records !== STALE) this.#noted(view.rollout, records);
    }).catch(this.#parts.onDefect);
  }

  #noted({ order }: Rollout, records: readonly RolloutMachine[]): void {
    this.#parts.board.move(order.name, records);
    for (const record of records) this.#parts.errands.callOff(record);
  }
}
