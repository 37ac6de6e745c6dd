import { setTimeout as sleep } from 'node:timers/promises';
import {
  AGENT_LOG_MOST_LINES,
  type AgentFacts,
  type AgentOrder,
  type AgentReport,
  type AgentStage,
  type Inspection,
  type InstallOrder,
  intentText,
  type SwarmTerms,
  type WipeOrder,
  type WorkEnd,
  type WorkProgress,
} from '@bootswarm/controller/contract';
import { backoffMs } from './backoff.ts';
import { type Begun, type DiskWork, doDiskWork, reportWhile } from './disk-work.ts';
import { EdgeError } from './edge-client.ts';
import { Progress } from './install/progress.ts';
import { type Task, taskOf } from './orders.ts';
import type { Status } from './status.ts';

/** The edge holds an order back for 50 s at most; who asks much sooner for the same again is asked to slow down. */
const FEWEST_MS_BETWEEN_ORDERS = 1_000;
const HEARTBEAT_MS = 60_000;
/** Before the machine goes, so that a person can read the last line, and the report of it has left. */
const LAST_LINE_MS = 2_000;

/** The edge, as the agent needs it. */
export interface Edge {
  report(report: AgentReport): Promise<void>;
  log(lines: readonly string[]): Promise<void>;
  order(after: string | undefined): Promise<AgentOrder>;
  begin(ticket: string, plan: string): Promise<void>;
  end(end: WorkEnd): Promise<void>;
  inspection(inspection: Inspection): Promise<void>;
}

export interface AgentParts {
  readonly edge: Edge;
  readonly status: Status;
  /** All of a report but what the agent is at. */
  readonly about: () => Promise<Omit<AgentReport, 'format' | 'stage' | 'detail' | 'facts'>>;
  readonly facts: () => Promise<AgentFacts>;
  /** All that can be found out about the machine; takes half a minute where a switch keeps still. */
  readonly inspect: () => Promise<Inspection>;
  /** Warnings of the kernel that were not told yet, as lines for the log. */
  readonly kernelLog: () => Promise<readonly string[]>;
  /** Fetches and verifies the manifest of a release or channel. @throws where it is not to be believed. */
  readonly verify: (reference: string) => Promise<unknown>;
  /** Writes to disks. @param swarm whom the image is fetched of, beside the edge. @throws why it failed. */
  readonly install: (order: InstallOrder, begun: Begun, swarm: SwarmTerms | undefined) => Promise<void>;
  /** Goes on giving what was fetched of neighbours, until none of them needs it. @param onWait told how many do. */
  readonly giveOn: (onWait: (fetching: number) => void) => Promise<void>;
  /** Writes to disks. @returns what was done. @throws why it failed. */
  readonly wipe: (order: WipeOrder, begun: Begun) => Promise<string>;
  /** Does not return where it succeeds. */
  readonly reboot: () => Promise<void>;
  /** Puts a release into memory. @param swarm as that of `install`. @throws why it failed. */
  readonly live: (release: string, progress: Progress, swarm: SwarmTerms | undefined) => Promise<void>;
  /** Ends the agent, and makes what `live` put there the system. Does not return. */
  readonly handOver: () => void;
  /** Lets whoever has one of the keys in, until the signal ends it. */
  readonly rescue: (sshKeys: readonly string[], signal: AbortSignal) => Promise<void>;
  readonly signal: AbortSignal;
  /** Milliseconds; resolves early where the signal ends it. */
  readonly wait?: (ms: number) => Promise<void>;
}

/** Reports to the edge, and does what it says, for ever. */
export class Agent {
  readonly #parts: AgentParts;
  readonly #wait: (ms: number) => Promise<void>;
  #failures = 0;
  #isKnown = false;
  /** Ends what an order began that lasts until the next one. */
  #lasting: AbortController | undefined;
  #stage: { readonly stage: AgentStage; readonly detail: string; readonly facts?: AgentFacts } = {
    stage: 'up',
    detail: 'the agent is up',
  };

  constructor(parts: AgentParts) {
    this.#parts = parts;
    this.#wait = parts.wait ?? ((ms) => sleep(ms, undefined, { signal: parts.signal }).catch(() => {}));
  }

  async run(): Promise<void> {
    const { signal } = this.#parts;
    await this.#become('up', 'the agent is up');
    const beating = this.#beat();
    let last: string | undefined;
    while (!signal.aborted) {
      const order = await this.#persist('asking for an intent', () => this.#parts.edge.order(last));
      if (!order) break;
      if (order.token === last) {
        await this.#wait(FEWEST_MS_BETWEEN_ORDERS);
        continue;
      }
      const isFirst = last === undefined;
      last = order.token;
      await this.#do(order, isFirst);
    }
    await beating;
  }

  async #do(order: AgentOrder, isFirst: boolean): Promise<void> {
    const { status, facts, inspect, edge } = this.#parts;
    status.note({ intent: intentText(order.intent) });
    this.#lasting?.abort();
    const task = taskOf(order);
    if (task.kind === 'wait') return this.#become('waiting', task.reason);
    if (task.kind === 'boot') return this.#boot(task, isFirst);
    if (task.kind === 'failed') return this.#become('failed', task.reason);
    if (task.kind === 'install') return this.#install(task.order, task.swarm);
    if (task.kind === 'live') return this.#live(task.release, task.swarm);
    if (task.kind === 'wipe') return this.#wipe(task.order);
    if (task.kind === 'rescue') return this.#rescue(task.sshKeys);
    await this.#become('inspecting', 'looking at the machine');
    try {
      const found = await facts();
      await this.#become('inspecting', 'looking closer: disks, cards and their switches', found);
      const inspection = await inspect();
      await this.#persist('sending the inspection', () => edge.inspection(inspection), true);
      await this.#become('waiting', 'inspected; waiting for another intent', found);
    } catch (error) {
      await this.#become('failed', `the inspection failed: ${(error as Error).message}`.slice(0, 300));
    }
    await this.#tellKernelLog();
  }

  /** With each inspection and each failure: a disk that fails is known there first. Best effort. */
  async #tellKernelLog(): Promise<void> {
    const { kernelLog, edge, status, signal } = this.#parts;
    try {
      const lines = await kernelLog();
      for (let at = 0; at < lines.length; at += AGENT_LOG_MOST_LINES)
        await edge.log(lines.slice(at, at + AGENT_LOG_MOST_LINES));
    } catch (error) {
      if (!signal.aborted) status.say(`the log of the kernel was not told: ${(error as Error).message}`);
    }
  }

  async #install(order: InstallOrder, swarm: SwarmTerms | undefined): Promise<void> {
    const { install, reboot, giveOn, status } = this.#parts;
    const isDone = await this.#work({
      terms: order,
      termsIn: (another) => another.install,
      stages: { doing: 'installing', done: 'installed' },
      what: `installing ${order.release}`,
      act: async (begun) => {
        await install(order, begun, swarm);
        return `installed ${order.release}`;
      },
    });
    if (!isDone) return;
    await giveOn((fetching) =>
      status.say(`giving ${order.release} to ${fetching} neighbours before the reboot`),
    );
    await this.#wait(LAST_LINE_MS);
    await reboot();
  }

  async #wipe(order: WipeOrder): Promise<void> {
    const { wipe } = this.#parts;
    await this.#work({
      terms: order,
      termsIn: (another) => another.wipe,
      stages: { doing: 'wiping', done: 'wiped' },
      what: `wiping ${order.disks === 'all' ? 'all disks' : order.disks.join(', ')}`,
      act: (begun) => wipe(order, begun),
    });
  }

  async #work(work: DiskWork): Promise<boolean> {
    const { edge, status, signal } = this.#parts;
    const isDone = await doDiskWork(work, {
      edge,
      signal,
      say: (line) => status.say(line),
      become: (stage, detail) => this.#become(stage, detail.slice(0, 300)),
      persist: (what, act) => this.#persist(what, act, true),
      report: (progress) => this.#reportProgress(progress),
    });
    if (!isDone) await this.#tellKernelLog();
    return isDone;
  }

  async #live(release: string, swarm: SwarmTerms | undefined): Promise<void> {
    const { live, handOver, status, signal } = this.#parts;
    await this.#become('live', `fetching ${release} into memory`);
    const progress = new Progress(
      (line) => status.say(line),
      () => performance.now(),
    );
    const reporting = reportWhile(progress, { report: (at) => this.#reportProgress(at), signal });
    try {
      await live(release, progress, swarm);
    } catch (error) {
      await reporting.end();
      signal.throwIfAborted();
      const { message } = error as Error;
      await this.#become('failed', `live ${release} failed: ${message}`.slice(0, 300));
      return this.#tellKernelLog();
    }
    await reporting.end();
    await this.#become('live', `${release} takes over`);
    handOver();
  }

  /** Never throws. */
  #reportProgress(progress: WorkProgress | undefined): Promise<void> {
    return this.#report(progress).then(
      () => this.#heard(),
      (error: Error) => this.#unheard('reporting', error),
    );
  }

  async #rescue(sshKeys: readonly string[]): Promise<void> {
    const { rescue, status, signal } = this.#parts;
    const lasting = new AbortController();
    this.#lasting = lasting;
    // It goes on beside the waiting for another order.
    void rescue(sshKeys, AbortSignal.any([lasting.signal, signal])).catch((error: Error) =>
      status.say(`rescue: ${error.message}`),
    );
    await this.#become('rescue', `${sshKeys.length} keys may come in by SSH, as root`);
  }

  /**
   * Reboots for what the next boot does, where that is news: not where the machine came here in spite of it, which would
   * come here again, nor where it is what is left once disks were wiped.
   */
  async #boot({ what, release }: Extract<Task, { kind: 'boot' }>, isFirst: boolean): Promise<void> {
    try {
      if (release !== undefined) await this.#parts.verify(release);
    } catch (error) {
      return this.#become('failed', `refused ${release}: ${(error as Error).message}`.slice(0, 300));
    }
    if (isFirst || this.#stage.stage === 'wiped')
      return this.#become('waiting', `'${what}' is for the next boot; waiting for another intent`);
    await this.#become('waiting', `rebooting for '${what}'`);
    await this.#wait(LAST_LINE_MS);
    await this.#parts.reboot();
  }

  /** Takes a stage, and tells the edge until it has heard it. */
  async #become(stage: AgentStage, detail: string, facts?: AgentFacts): Promise<void> {
    this.#stage = { stage, detail, ...(facts === undefined ? {} : { facts }) };
    this.#parts.status.doing(detail);
    await this.#persist('reporting', () => this.#report());
  }

  async #report(progress?: WorkProgress): Promise<void> {
    const { edge, about, status } = this.#parts;
    await edge.report({
      format: 1,
      ...(await about()),
      ...this.#stage,
      ...(progress === undefined ? {} : { progress }),
    });
    const lines = status.unsent(AGENT_LOG_MOST_LINES);
    if (lines.length === 0) return;
    await edge.log(lines);
    status.sent(lines);
  }

  /** Again and again the last report, so that the edge knows that the machine is still there. */
  async #beat(): Promise<void> {
    const { signal } = this.#parts;
    for (;;) {
      await this.#wait(HEARTBEAT_MS);
      if (signal.aborted) return;
      await this.#report().then(
        () => this.#heard(),
        (error: Error) => this.#unheard('reporting', error),
      );
    }
  }

  /**
   * Tries until it succeeds; undefined where the signal ended it.
   * @param isFinal a refusal is: of work it is, and of everything else the edge may change its mind.
   * @throws EdgeError of such a refusal.
   */
  async #persist<Result>(
    what: string,
    act: () => Promise<Result>,
    isFinal = false,
  ): Promise<Result | undefined> {
    for (let failures = 1; !this.#parts.signal.aborted; failures++) {
      try {
        const result = await act();
        this.#heard();
        return result;
      } catch (error) {
        if (isFinal && error instanceof EdgeError && error.isRefusal) throw error;
        this.#unheard(what, error as Error);
        await this.#wait(backoffMs(failures, Math.random()));
      }
    }
    return undefined;
  }

  #heard(): void {
    const { status } = this.#parts;
    if (!this.#isKnown) status.say('reported to the edge');
    else if (this.#failures > 0) status.say(`the edge answers again, after ${this.#failures} tries`);
    this.#isKnown = true;
    this.#failures = 0;
    status.note({ isHeard: true });
  }

  /** Said at first, and then ever more rarely: a console is for reading. */
  #unheard(what: string, { message }: Error): void {
    const { status, signal } = this.#parts;
    if (signal.aborted) return;
    this.#failures += 1;
    status.note({ isHeard: false });
    const isPowerOfTwo = (this.#failures & (this.#failures - 1)) === 0;
    if (isPowerOfTwo) status.say(`${what} failed: ${message}. Trying again, for ever`);
  }
}
