import { isDeepStrictEqual } from 'node:util';
import {
  problem,
  Rollout,
  RolloutMachine,
  type RolloutOrder,
  type RolloutPlan,
  type RolloutState,
  type RolloutStep,
  type RolloutStory,
  rolloutMoves,
  SkippedMachine,
} from '@bootswarm/controller/contract';
import type { Naming } from '../catalogue/release-uses.ts';
import type { NetworkRule } from '../outgoing/network-rule.ts';
import { LongPolls } from '../store/long-poll.ts';
import type { Entry } from '../store/state-store.ts';
import { type Plan, type Reads, transact } from '../store/transact.ts';
import { type Board, isOver, readMachines, readRollout } from './board.ts';
import type { CommitParts } from './commits.ts';
import type { RolloutDesk } from './desk.ts';
import { type Draft, type DraftParts, draftRollout, keptOf, requireFree, taken } from './drafts.ts';
import { commandPath } from './health.ts';
import { claimKey, ROLLOUTS_PREFIX, recordKey, recordsPrefix, rolloutKey, skippedPrefix } from './keys.ts';
import { isUndoable, turned, withWave } from './planner/index.ts';
import { storyOf } from './stories.ts';
import { requireReachable } from './urls.ts';

type Holds = (name: string, reads: Reads) => Promise<Readonly<Record<string, unknown>>>;

export interface RolloutsParts extends CommitParts, DraftParts {
  readonly board: Board;
  readonly desk: RolloutDesk;
  /** What to put so that a release or channel stays. @throws Problem where there is none. */
  readonly hold: Holds;
  /** @throws Problem secret_unknown */
  readonly holdSecret: Holds;
  /** Folder of programs that health checks may run. */
  readonly commands: string | undefined;
  /** Where hooks and health URLs may be. */
  readonly isAllowed: NetworkRule;
}

export interface MachinesPage {
  readonly after: string;
  readonly limit: number;
  readonly wave?: number | undefined;
  readonly step?: RolloutStep | undefined;
}

/** What operators do with rollouts. Each command is one commit, and the desk goes on from there. */
export class Rollouts {
  readonly #parts: RolloutsParts;
  readonly #polls: LongPolls;

  constructor(parts: RolloutsParts) {
    this.#parts = parts;
    this.#polls = new LongPolls(parts.store);
  }

  /** The newest first. */
  async list(): Promise<Rollout[]> {
    const rollouts = (await this.#parts.store.list(ROLLOUTS_PREFIX)).map(({ value }) => Rollout.parse(value));
    return rollouts.toSorted((a, b) => (a.startedAt > b.startedAt ? -1 : 1));
  }

  /** @throws Problem machine_release_unknown, channel_unknown, rollout_empty, and what starting would throw. */
  async plan(order: RolloutOrder, now: Date): Promise<RolloutPlan> {
    const draft = await draftRollout(this.#parts, order, now);
    await this.#requireFit(draft, { get: (key) => this.#parts.store.get(key), dependOn: () => {} });
    return draft.plan;
  }

  /**
   * Starts a rollout with all its machines in one commit, or not at all. The same order again changes nothing.
   * @throws Problem rollout_exists, rollout_machine_taken, rollout_empty, rollout_bmc_none, …
   */
  start(order: RolloutOrder, now: Date): Promise<Rollout> {
    const { name } = order;
    return this.#changed(async () => {
      const result = await transact(
        this.#parts.store,
        `rollout ${name}`,
        async (reads): Promise<Plan<Kept>> => {
          const held = await readRollout(reads, name);
          if (held && isDeepStrictEqual(held.order, order)) return { result: { rollout: held } };
          if (held)
            throw problem('rollout_exists', { field: 'name', facts: { rollout: name, state: held.state } });
          const draft = await draftRollout(this.#parts, order, now);
          requireFree(order, draft.skipped);
          const beside = await this.#requireFit(draft, reads);
          const kept = keptOf(draft, now);
          for (const release of kept.rollout.releasesBefore)
            Object.assign(beside, await this.#parts.hold(release, reads));
          const put: Record<string, unknown> = { ...beside, [rolloutKey(name)]: kept.rollout };
          for (const record of kept.machines) {
            // Read within the transaction: of two that want the same machine, one loses and looks again.
            await reads.get(claimKey(record.machine));
            put[claimKey(record.machine)] = name;
            put[recordKey(name, record.machine)] = record;
          }
          for (const each of draft.skipped) put[skippedPrefix(name) + each.machine] = each;
          return { put, result: kept };
        },
      );
      if (result.machines) this.#parts.board.put(result.rollout, result.machines);
      return result.rollout;
    });
  }

  /** @throws Problem not_found */
  async show(name: string, after: number, waitMs: number, signal: AbortSignal): Promise<RolloutStory> {
    const look = async (): Promise<RolloutStory | undefined> => {
      const story = await this.#story(name);
      return story.changes === after && !isOver(story) ? undefined : story;
    };
    return (await this.#polls.next(look, after < 0 ? 0 : waitMs, signal)) ?? this.#story(name);
  }

  /** In the order of their ids. @throws Problem not_found */
  async machines(
    name: string,
    { after, limit, wave, step }: MachinesPage,
  ): Promise<{ machines: RolloutMachine[]; next?: string }> {
    await this.#require(this.#parts.store, name);
    const isMeant = (record: RolloutMachine): boolean =>
      (wave === undefined || record.wave === wave) && (step === undefined || record.step === step);
    const prefix = recordsPrefix(name);
    const machines: RolloutMachine[] = [];
    for (let from = prefix + after; ; ) {
      const entries = await this.#parts.store.list(prefix, { after: from, limit });
      for (const { value } of entries) {
        const record = RolloutMachine.parse(value);
        if (isMeant(record)) machines.push(record);
        if (machines.length === limit) return { machines, next: record.machine };
      }
      const last = entries.at(-1);
      if (last === undefined || entries.length < limit) return { machines };
      from = last.key;
    }
  }

  /** Machines that were left out when it started. @throws Problem not_found */
  async skipped(
    name: string,
    { after, limit }: MachinesPage,
  ): Promise<{ skipped: SkippedMachine[]; next?: string }> {
    await this.#require(this.#parts.store, name);
    const prefix = skippedPrefix(name);
    const entries = await this.#parts.store.list(prefix, { after: prefix + after, limit });
    const skipped = entries.map(({ value }: Entry) => SkippedMachine.parse(value));
    const last = skipped.at(-1);
    return { skipped, ...(last !== undefined && entries.length === limit ? { next: last.machine } : {}) };
  }

  /** @throws Problem not_found, rollout_changed, rollout_state_not_allowed, rollout_machine_taken */
  move(name: string, to: RolloutState, revision: number | undefined, now: Date): Promise<Rollout> {
    return this.#changed(async () => {
      const rollout = await transact(this.#parts.store, `rollout ${name}`, async (reads) => {
        const held = await this.#current(reads, name, revision);
        const allowed = rolloutMoves(held.state, 'operator');
        if (!allowed.includes(to)) {
          const facts = {
            rollout: name,
            state: held.state,
            wanted: to,
            allowed: allowed.join(', ') || 'nothing else',
          };
          throw problem('rollout_state_not_allowed', { facts });
        }
        const { cause: _, detail: __, ...rest } = turned(held, to, now);
        const next: Rollout = to === 'running' ? rest : { ...rest, cause: 'operator' };
        const claims = isOver(held) ? await this.#claims(reads, name) : {};
        return { put: { [rolloutKey(name)]: next, ...claims }, result: next };
      });
      if (this.#parts.board.get(name)) this.#parts.board.turn(rollout);
      else this.#parts.board.put(rollout, await readMachines(this.#parts.store, name));
      return rollout;
    });
  }

  /** @throws Problem not_found, rollout_changed, rollout_not_awaiting */
  approve(name: string, revision: number | undefined, now: Date): Promise<Rollout> {
    return this.#changed(async () => {
      const rollout = await transact(this.#parts.store, `rollout ${name}`, async (reads) => {
        const held = await this.#current(reads, name, revision);
        const wave = held.waves[held.wave];
        if (held.state !== 'running' || wave?.state !== 'awaiting') {
          const state = held.state === 'running' ? wave?.state : held.state;
          throw problem('rollout_not_awaiting', {
            facts: { rollout: name, wave: wave?.name ?? '', state: state ?? '' },
          });
        }
        const next = withWave(held, 'running', now);
        return { put: { [rolloutKey(name)]: next }, result: next };
      });
      this.#parts.board.turn(rollout);
      return rollout;
    });
  }

  /** @throws Problem not_found, rollout_not_over */
  async remove(name: string): Promise<void> {
    const { store } = this.#parts;
    const records = [...(await store.list(recordsPrefix(name))), ...(await store.list(skippedPrefix(name)))];
    await this.#changed(() =>
      transact(store, `rollout ${name}`, async (reads) => {
        const held = await this.#require(reads, name);
        if (!isOver(held)) throw problem('rollout_not_over', { facts: { rollout: name, state: held.state } });
        return { remove: [rolloutKey(name), ...records.map(({ key }) => key)], result: undefined };
      }),
    );
  }

  /** What rollouts that are not over need: what they bring, and what they may go back to. */
  async namings(): Promise<Naming[]> {
    return (await this.list()).flatMap((rollout): Naming[] => {
      if (isOver(rollout)) return [];
      const { name } = rollout.order;
      const back = rollout.releasesBefore.map(
        (release): Naming => ({ release, use: { kind: 'rollout-back', name } }),
      );
      return [{ release: rollout.release, use: { kind: 'rollout', name } }, ...back];
    });
  }

  /** Ends every wait, and lets nobody wait any more. */
  stop(): void {
    this.#polls.stop();
  }

  async #story(name: string): Promise<RolloutStory> {
    const { board, store, sight } = this.#parts;
    const held = board.get(name);
    const rollout = held?.rollout ?? (await this.#require(store, name));
    const machines = held?.machines ?? (await readMachines(store, name));
    const edges = isOver(rollout) ? undefined : await sight.edges();
    const lackOf = edges && (await sight.lacks(edges, [rollout.release], new Date()));
    return storyOf(rollout, machines, held?.changes ?? 0, lackOf ?? (() => undefined));
  }

  /** A command in the desk's turn; the desk looks again afterwards by itself, as something was committed. */
  #changed<T>(act: () => Promise<T>): Promise<T> {
    return this.#parts.desk.inTurn(act);
  }

  async #require(reads: Pick<Reads, 'get'>, name: string): Promise<Rollout> {
    const found = await readRollout(reads, name);
    if (!found) throw problem('not_found', { facts: { kind: 'rollout', name } });
    return found;
  }

  async #current(reads: Reads, name: string, revision: number | undefined): Promise<Rollout> {
    const held = await this.#require(reads, name);
    if (revision === undefined || revision === held.revision) return held;
    const facts = { rollout: name, held: held.revision, named: revision };
    throw problem('rollout_changed', { field: 'revision', facts });
  }

  /** Of machines that go back though the rollout was over: another may have them by now. */
  async #claims(reads: Reads, name: string): Promise<Readonly<Record<string, unknown>>> {
    const put: Record<string, unknown> = {};
    for (const record of await readMachines(this.#parts.store, name)) {
      const other = (await reads.get(claimKey(record.machine)))?.value;
      if (other !== undefined && isUndoable(record)) throw taken(String(other), record.machine, 0);
      if (other === undefined) put[claimKey(record.machine)] = name;
    }
    return put;
  }

  /** What can be told before the first machine is touched. @returns what to put beside. */
  async #requireFit(draft: Draft, reads: Reads): Promise<Record<string, unknown>> {
    const { order, intent } = draft;
    const { checkIntent, checkFit, hold, holdSecret, commands, isAllowed } = this.#parts;
    requireReachable(order, isAllowed);
    const beside: Record<string, unknown> = { ...(await checkIntent(intent, reads)) };
    if (order.rollbackTo !== undefined) Object.assign(beside, await hold(order.rollbackTo, reads));
    for (const hook of [order.hooks.before, order.hooks.after])
      if (hook !== undefined) Object.assign(beside, await holdSecret(hook.secret, reads));
    const { health } = order.gates;
    if (health?.kind === 'command') await commandPath(commands, health.command);
    const byId = new Map(draft.matched.map((machine) => [machine.id, machine]));
    const taking = draft.waves.flatMap(({ machines }) =>
      machines.flatMap(({ machine }) => byId.get(machine) ?? []),
    );
    const unpowered = order.power === 'none' ? [] : taking.filter(({ bmc }) => bmc === undefined);
    const [first] = unpowered;
    if (first !== undefined)
      throw problem('rollout_bmc_none', {
        field: 'power',
        facts: { count: unpowered.length, machine: first.id },
      });
    const [canary] = taking;
    if (canary !== undefined) await checkFit({ ...canary, intent }, reads);
    return beside;
  }
}

interface Kept {
  readonly rollout: Rollout;
  /** Left out where it was started before. */
  readonly machines?: readonly RolloutMachine[];
}
