import { setTimeout as sleep } from 'node:timers/promises';
import {
  AGENT_LOG_MOST_LINES,
  type AgentFacts,
  type AgentOrder,
  type AgentReport,
  type AgentStage,
  intentText,
} from '@bootswarm/controller/contract';
import { backoffMs } from './backoff.ts';
import { type Task, taskOf } from './orders.ts';
import type { Status } from './status.ts';

/** The edge holds an order back for 50 s at most; who asks much sooner for the same again is asked to slow down. */
const FEWEST_MS_BETWEEN_ORDERS = 1_000;
const HEARTBEAT_MS = 60_000;

/** The edge, as the agent needs it. */
export interface Edge {
  report(report: AgentReport): Promise<void>;
  log(lines: readonly string[]): Promise<void>;
  order(after: string | undefined): Promise<AgentOrder>;
}

export interface AgentParts {
  readonly edge: Edge;
  readonly status: Status;
  /** All of a report but what the agent is at. */
  readonly about: () => Promise<Omit<AgentReport, 'format' | 'stage' | 'detail' | 'facts'>>;
  readonly facts: () => Promise<AgentFacts>;
  /** Fetches and verifies the manifest of a release or channel. @throws where it is not to be believed. */
  readonly verify: (reference: string) => Promise<unknown>;
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
      last = order.token;
      await this.#do(order);
    }
    await beating;
  }

  async #do({ intent }: AgentOrder): Promise<void> {
    const { status, facts } = this.#parts;
    status.note({ intent: intentText(intent) });
    const task = taskOf(intent);
    if (task.kind === 'wait') return this.#sitOut(task);
    await this.#become('inspecting', 'looking at the machine');
    try {
      const found = await facts();
      await this.#become('waiting', 'inspected; waiting for another intent', found);
    } catch (error) {
      await this.#become('failed', `the inspection failed: ${(error as Error).message}`.slice(0, 300));
    }
  }

  async #sitOut({ reason, release }: Extract<Task, { kind: 'wait' }>): Promise<void> {
    if (release === undefined) return this.#become('waiting', reason);
    try {
      await this.#parts.verify(release);
      await this.#become('waiting', `${reason}; its manifest is signed`);
    } catch (error) {
      await this.#become('failed', `refused ${release}: ${(error as Error).message}`.slice(0, 300));
    }
  }

  /** Takes a stage, and tells the edge until it has heard it. */
  async #become(stage: AgentStage, detail: string, facts?: AgentFacts): Promise<void> {
    this.#stage = { stage, detail, ...(facts === undefined ? {} : { facts }) };
    this.#parts.status.doing(detail);
    await this.#persist('reporting', () => this.#report());
  }

  async #report(): Promise<void> {
    const { edge, about, status } = this.#parts;
    await edge.report({ format: 1, ...(await about()), ...this.#stage });
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

  /** Tries until it succeeds; undefined where the signal ended it. */
  async #persist<Result>(what: string, act: () => Promise<Result>): Promise<Result | undefined> {
    for (let failures = 1; !this.#parts.signal.aborted; failures++) {
      try {
        const result = await act();
        this.#heard();
        return result;
      } catch (error) {
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
