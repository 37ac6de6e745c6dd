import {
  type Bmc,
  type Machine,
  POWER_ACTIONS_OF,
  type PowerOrder,
  type PowerStanding,
  problem,
} from '@bootswarm/controller/contract';
import { Problem } from '@bootswarm/images/format';
import { MachineDraft } from '../machines/machine-draft.ts';
import { changeMachine, unknownMachine } from '../machines/machines.ts';
import { machineRecords } from '../machines/record-ring.ts';
import { LongPolls } from '../store/long-poll.ts';
import type { StateStore } from '../store/state-store.ts';
import { type Reads, transact } from '../store/transact.ts';
import { carryOut, PACE, type Pace } from './carry-out.ts';
import type { Driver } from './driver.ts';
import { addressOf, laneOf } from './drivers.ts';
import { Lanes } from './lanes.ts';
import {
  begun,
  booted,
  DEADLINES_MS,
  failed,
  isOfThisStart,
  type Moment,
  ordered,
  stepOf,
  stepped,
} from './standing.ts';

/** Ids of machines whose action is not over: what a controller goes on with after its start. */
const OPEN_PREFIX = 'power-open/';
/** BMCs are slow and the network to them is thin; ipmitool is a process for each call. */
const AT_ONCE_MOST = 32;
/** Edges tell what they saw while the controller was away. */
const EDGES_TELL_MS = 60_000;

interface Parts {
  readonly store: StateStore;
  /** Throws where the machine's BMC cannot be spoken to. */
  readonly driverOf: (machine: Machine) => Promise<Driver>;
  readonly checkBmc: (bmc: Bmc) => void;
  /** What to put so that a secret stays. */
  readonly holdSecret: (name: string, reads: Reads) => Promise<Readonly<Record<string, unknown>>>;
  readonly onDefect: (error: unknown) => void;
  readonly pace?: Pace;
  readonly deadlinesMs?: Moment['deadlinesMs'];
}

/**
 * Actions on the power of machines. Each is kept in the store before its commands are given and after each of its
 * steps, and goes on by itself: also with the next controller, which looks at the power first.
 */
export class PowerDesk {
  readonly #parts: Required<Parts>;
  readonly #polls: LongPolls;
  readonly #lanes = new Lanes(AT_ONCE_MOST);
  readonly #stopping = new AbortController();
  /** Waits for machines to boot, which take no place of those at once. */
  readonly #watches = new Set<Promise<void>>();

  constructor(parts: Parts) {
    this.#parts = { pace: PACE, deadlinesMs: DEADLINES_MS, ...parts };
    this.#polls = new LongPolls(parts.store);
  }

  /** Goes on with what the controller before left. */
  async resume(): Promise<void> {
    for (const { key } of await this.#parts.store.list(OPEN_PREFIX))
      this.#launch(key.slice(OPEN_PREFIX.length), true);
  }

  /** A MAC that nobody carries registers a machine. @throws Problem not_found, secret_unknown, bmc_address_forbidden */
  setBmc(key: string, bmc: Bmc): Promise<Machine> {
    return transact(this.#parts.store, `machine ${key}`, async (reads) => {
      this.#parts.checkBmc(bmc);
      const beside = bmc.secret === undefined ? {} : await this.#parts.holdSecret(bmc.secret, reads);
      return changeMachine(key, reads, beside, (known) => ({ ...known, bmc }));
    });
  }

  /** @throws Problem not_found */
  removeBmc(key: string): Promise<Machine> {
    return transact(this.#parts.store, `machine ${key}`, async (reads) => {
      const draft = new MachineDraft(reads);
      const known = await draft.find(key);
      if (!known) throw unknownMachine(key);
      const { bmc: _, ...machine } = known;
      await draft.keep(machine);
      return { put: draft.put, result: machine };
    });
  }

  /** Begins an action. @throws Problem not_found, bmc_none, bmc_unable, power_busy */
  async order(key: string, order: PowerOrder): Promise<Machine> {
    const { store } = this.#parts;
    const machine = await transact(store, `machine ${key}`, async (reads) => {
      const draft = new MachineDraft(reads);
      const known = await draft.find(key);
      if (!known) throw unknownMachine(key);
      requireAble(known, order);
      const power = ordered(known.id, known.power, order, this.#moment());
      const changed = { ...known, power };
      await draft.keep(changed);
      return { put: { ...draft.put, [OPEN_PREFIX + known.id]: 1 }, result: changed };
    });
    this.#launch(machine.id, false);
    return machine;
  }

  /** The machine, once its power has more than `after` changes or the wait is over. @throws Problem not_found */
  async show(key: string, after: number, waitMs: number, signal: AbortSignal): Promise<Machine> {
    const look = async (): Promise<Machine> => {
      const machine = await new MachineDraft(this.#parts.store).find(key);
      if (!machine) throw unknownMachine(key);
      return machine;
    };
    const newer = async (): Promise<Machine | undefined> => {
      const machine = await look();
      return (machine.power?.changes ?? 0) > after ? machine : undefined;
    };
    return (await this.#polls.next(newer, waitMs, signal)) ?? look();
  }

  /** Leaves what runs as it stands in the store; the next controller goes on with it. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#polls.stop();
    await this.#lanes.idle();
    await Promise.all(this.#watches);
  }

  #launch(id: string, isResumed: boolean): void {
    this.#begin(id, isResumed).catch((error: unknown) => {
      // What a stop ends stays as it is; so does what the store could not take, until the next start.
      if (!this.#stopping.signal.aborted) this.#parts.onDefect(error);
    });
  }

  async #begin(id: string, isResumed: boolean): Promise<void> {
    const machine = await new MachineDraft(this.#parts.store).machine(id);
    const { power } = machine ?? {};
    if (!machine || !power) return;
    if (power.state === 'booting') return this.#watchBoot(machine, power, isResumed);
    await this.#lanes.run(laneOf(machine), () => this.#run(machine, power.number, isResumed));
  }

  /** An action from where it stands to its end. */
  async #run(machine: Machine, number: number, isResumed: boolean): Promise<void> {
    this.#stopping.signal.throwIfAborted();
    const wasRunning = machine.power?.state === 'running';
    if (Date.parse(machine.power?.deadlineAt ?? '') < Date.now()) return this.#giveUp(machine, number);
    let power = await this.#change(machine.id, number, (standing, moment) => begun(standing, moment));
    if (!power) return;
    const { running: runningMs } = this.#parts.deadlinesMs;
    const leftMs = Date.parse(power.deadlineAt) - Date.now();
    const late = AbortSignal.timeout(Math.min(Math.max(leftMs, 0), runningMs));
    const signal = AbortSignal.any([this.#stopping.signal, late]);
    try {
      await using driver = await this.#parts.driverOf(machine);
      let isUnsure = isResumed && wasRunning;
      while (power?.state === 'running') {
        power = await this.#step(machine, power, driver, isUnsure, signal);
        isUnsure = false;
      }
    } catch (error) {
      this.#stopping.signal.throwIfAborted();
      if (late.aborted) return this.#giveUp(machine, number);
      if (!(error instanceof Problem)) this.#parts.onDefect(error);
      const told = error instanceof Problem ? error : defect(error);
      await this.#change(machine.id, number, (standing, moment) => failed(standing, told, moment));
      return;
    }
    if (power?.state === 'booting') this.#launch(machine.id, false);
  }

  /** Nobody wants done tonight what was ordered in the morning. */
  async #giveUp({ id: machine }: Machine, number: number): Promise<void> {
    await this.#change(machine, number, (standing, moment) => {
      const seconds = Math.round((Date.parse(standing.deadlineAt) - Date.parse(standing.askedAt)) / 1000);
      const facts = { machine, action: standing.action, seconds };
      return failed(standing, problem('power_late', { facts }), moment);
    });
  }

  async #step(
    machine: Machine,
    power: PowerStanding,
    driver: Driver,
    isResumed: boolean,
    signal: AbortSignal,
  ): Promise<PowerStanding | undefined> {
    const { pace, store } = this.#parts;
    const step = stepOf(power);
    if (step === undefined) throw new TypeError(`${power.action} has no step ${power.step}`);
    const [address, image] = [addressOf(machine), power.image];
    const seen = await carryOut({
      step,
      driver,
      pace,
      machine: machine.id,
      address,
      image,
      isResumed,
      signal,
    });
    if (power.action === 'reset' && seen === 'off')
      throw problem('power_is_off', { facts: { machine: machine.id } });
    const records = await machineRecords.count(store, machine.id);
    return this.#change(machine.id, power.number, (standing, moment) =>
      stepped(standing, seen, records, moment),
    );
  }

  #watchBoot(machine: Machine, power: PowerStanding, isResumed: boolean): void {
    const watch = this.#awaitBoot(machine.id, power, isResumed)
      .catch((error: unknown) => {
        if (!this.#stopping.signal.aborted) this.#parts.onDefect(error);
      })
      .finally(() => this.#watches.delete(watch));
    this.#watches.add(watch);
  }

  /** An edge's records tell: those that came since, and that are not of long before by its clock. */
  async #awaitBoot(id: string, power: PowerStanding, isResumed: boolean): Promise<void> {
    const { store, deadlinesMs } = this.#parts;
    const left = Date.parse(power.deadlineAt) - Date.now();
    const waitMs = Math.min(Math.max(left, isResumed ? EDGES_TELL_MS : 0), deadlinesMs.booting);
    const before = power.recordsBefore ?? 0;
    let known = before;
    const look = async (): Promise<'booted' | 'replaced' | undefined> => {
      const machine = await new MachineDraft(store).machine(id);
      if (machine?.power?.number !== power.number) return 'replaced';
      const count = await machineRecords.count(store, id);
      if (count === known) return undefined;
      const fresh = await machineRecords.read(store, id, known);
      known = count;
      return fresh.some((record) => isOfThisStart(power, record)) ? 'booted' : undefined;
    };
    const found = await this.#polls.next(look, waitMs, this.#stopping.signal);
    this.#stopping.signal.throwIfAborted();
    if (found === 'replaced') return;
    const facts = { machine: id, seconds: Math.round(deadlinesMs.booting / 1000) };
    await this.#change(id, power.number, (standing, moment) =>
      found === 'booted'
        ? booted(standing, moment)
        : failed(standing, problem('bmc_ignored_override', { facts }), moment),
    );
  }

  /** undefined where another action took its place. */
  #change(
    id: string,
    number: number,
    change: (standing: PowerStanding, moment: Moment) => PowerStanding,
  ): Promise<PowerStanding | undefined> {
    return transact(this.#parts.store, `machine ${id}`, async (reads) => {
      const draft = new MachineDraft(reads);
      const machine = await draft.machine(id);
      if (machine?.power?.number !== number) return { result: undefined };
      const power = change(machine.power, this.#moment());
      if (power === machine.power) return { result: power };
      await draft.keep({ ...machine, power });
      const isOver = power.state === 'done' || power.state === 'failed';
      return { put: draft.put, remove: isOver ? [OPEN_PREFIX + id] : [], result: power };
    });
  }

  #moment(): Moment {
    return { now: new Date(), deadlinesMs: this.#parts.deadlinesMs };
  }
}

/** @throws Problem bmc_none, bmc_unable */
function requireAble({ id, bmc }: Machine, { action }: PowerOrder): void {
  if (!bmc) throw problem('bmc_none', { field: 'machine', facts: { machine: id } });
  const able = POWER_ACTIONS_OF[bmc.kind];
  if (able.includes(action)) return;
  const facts = { kind: bmc.kind, what: action, reason: `it can do ${able.join(', ')}` };
  throw problem('bmc_unable', { field: 'action', facts });
}

function defect(error: unknown): Problem {
  const reason = error instanceof Error ? error.message : String(error);
  return problem('internal', { facts: { reason, request: 'power' } });
}
