import {
  AGENT_LOG_MOST_LINES,
  type AgentOrder,
  type AgentReport,
  type Inspection,
  type WorkEnd,
} from '@bootswarm/controller/contract';
import type { Edge } from '../agent.ts';

/** An edge in memory: gives its orders one after the other, and fails as often as it is told to. */
export class FakeEdge implements Edge {
  readonly reports: AgentReport[] = [];
  readonly lines: string[] = [];
  /** Plans that writing began with, under their tickets. */
  readonly begun: { readonly ticket: string; readonly plan: string }[] = [];
  readonly ended: WorkEnd[] = [];
  /** Whether the agent ended in favour of a live system. */
  isLeft = false;
  readonly inspections: Inspection[] = [];
  /** Thrown by the next `begin`. */
  refusing: Error | undefined;
  /** Thrown by the next calls of `end`, one each. */
  readonly refusingEnd: Error[] = [];
  /** By how many calls the next success is away. */
  failing = 0;
  readonly #orders: AgentOrder[];
  readonly #onEmpty: () => void;

  /** @param onEmpty told that the last order was given: the same is given again from then on. */
  constructor(orders: readonly AgentOrder[], onEmpty: () => void) {
    this.#orders = [...orders];
    this.#onEmpty = onEmpty;
  }

  async report(report: AgentReport): Promise<void> {
    this.#fail();
    this.reports.push(report);
  }

  async log(lines: readonly string[]): Promise<void> {
    if (lines.length > AGENT_LOG_MOST_LINES) throw new Error('too many lines');
    this.lines.push(...lines);
  }

  async order(): Promise<AgentOrder> {
    this.#fail();
    const [order] = this.#orders;
    if (order === undefined) throw new Error('no order at all');
    if (this.#orders.length > 1) this.#orders.shift();
    else this.#onEmpty();
    return order;
  }

  async begin(ticket: string, plan: string): Promise<void> {
    this.#fail();
    if (this.refusing) throw this.refusing;
    this.begun.push({ ticket, plan });
  }

  async end(end: WorkEnd): Promise<void> {
    this.#fail();
    const refusal = this.refusingEnd.shift();
    if (refusal) throw refusal;
    this.ended.push(end);
  }

  async inspection(inspection: Inspection): Promise<void> {
    this.#fail();
    this.inspections.push(inspection);
  }

  #fail(): void {
    if (this.failing === 0) return;
    this.failing -= 1;
    throw new Error('the edge is away');
  }
}
