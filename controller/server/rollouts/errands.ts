import { type HookCall, Machine, type Rollout, type RolloutMachine } from '@bootswarm/controller/contract';
import { machineKey } from '../machines/keys.ts';
import type { NetworkRule } from '../outgoing/network-rule.ts';
import type { StateStore } from '../store/state-store.ts';
import { awaitHealth } from './health.ts';
import { callHook } from './hooks.ts';
import type { Errand, ErrandEnd } from './planner/index.ts';
import type { PowerHands } from './power-hands.ts';

export interface ErrandParts {
  readonly store: StateStore;
  readonly power: PowerHands;
  /** The value of a secret. @throws Problem secret_unknown */
  readonly reveal: (secret: string) => Promise<string>;
  /** Folder of programs that health checks may run. */
  readonly commands: string | undefined;
  readonly isAllowed: NetworkRule;
}

interface Running {
  readonly since: string;
  readonly abort: AbortController;
}

/**
 * What goes on outside for machines: hooks, checks, power actions. One at a time for each machine. Nothing of it is
 * kept: after a start each begins anew, with the same id and until the same deadline.
 */
export class Errands {
  readonly #parts: ErrandParts;
  readonly #running = new Map<string, Running>();
  readonly #ends = new Set<Promise<void>>();
  readonly #stopping = new AbortController();

  constructor(parts: ErrandParts) {
    this.#parts = parts;
  }

  get busy(): ReadonlySet<string> {
    return new Set(this.#running.keys());
  }

  /** @param onEnd is told how it went, unless it was called off before. */
  begin(
    errand: Errand,
    rollout: Rollout,
    record: RolloutMachine,
    onEnd: (end: ErrandEnd) => Promise<void>,
  ): void {
    if (this.#running.has(errand.machine) || this.#stopping.signal.aborted) return;
    const abort = new AbortController();
    const running: Running = { since: record.since, abort };
    this.#running.set(errand.machine, running);
    const signal = AbortSignal.any([abort.signal, this.#stopping.signal]);
    const end = this.#run(errand, rollout, record, signal)
      .catch((error: unknown): ErrandEnd => ({ ok: false, detail: (error as Error).message }))
      .then(async (how) => {
        if (!signal.aborted) await onEnd(how);
      })
      .finally(() => {
        // Not before its end is committed: a tick in between would begin it anew.
        if (this.#running.get(errand.machine) === running) this.#running.delete(errand.machine);
        this.#ends.delete(end);
      });
    this.#ends.add(end);
  }

  /** For a machine that has gone on to another step: nobody waits for it any more. */
  callOff({ machine, since }: RolloutMachine): void {
    const running = this.#running.get(machine);
    if (running === undefined || running.since === since) return;
    this.#running.delete(machine);
    running.abort.abort();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await Promise.allSettled(this.#ends);
  }

  async #run(
    { errand }: Errand,
    rollout: Rollout,
    record: RolloutMachine,
    signal: AbortSignal,
  ): Promise<ErrandEnd> {
    const { store, power, commands, isAllowed } = this.#parts;
    const entry = await store.get(machineKey(record.machine));
    if (entry === undefined) return { ok: false, detail: 'the machine was removed' };
    const machine = Machine.parse(entry.value);
    const deadline = new Date(record.deadlineAt ?? record.since);
    if (errand === 'power') return power.restart(machine, record.since, signal);
    if (errand === 'check') {
      const { health } = rollout.order.gates;
      return health === undefined
        ? { ok: true }
        : awaitHealth(health, machine, { deadline, folder: commands, isAllowed }, signal);
    }
    const hook = rollout.order.hooks[errand];
    if (hook === undefined) return { ok: true };
    const id = `${rollout.order.name}_${record.machine}_${errand}_${Date.parse(record.since)}`;
    const call = callOf(errand, rollout, record, machine);
    return callHook(
      { hook, secret: await this.#parts.reveal(hook.secret), id, call, machine, deadline, isAllowed },
      signal,
    );
  }
}

function callOf(
  errand: 'before' | 'after',
  { order, release }: Rollout,
  { step, since, cause }: RolloutMachine,
  { id, macs, address, segment }: Machine,
): HookCall {
  const outcome = step === 'undo_returning' ? 'undone' : cause === undefined ? 'done' : 'skipped';
  return {
    type: `rollout.machine.${errand}`,
    timestamp: since,
    data: {
      rollout: order.name,
      release,
      machine: id,
      macs,
      ...(address === undefined ? {} : { address }),
      ...(segment === undefined ? {} : { segment }),
      ...(errand === 'after' ? { outcome } : {}),
    },
  };
}
