import type { AgentOrder, AgentReport } from '@bootswarm/controller/contract';
import type { Edge } from '../agent.ts';

/** An edge in memory: gives its orders one after the other, and fails as often as it is told to. */
export class FakeEdge implements Edge {
  readonly reports: AgentReport[] = [];
  readonly lines: string[] = [];
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

  #fail(): void {
    if (this.failing === 0) return;
    this.failing -= 1;
    throw new Error('the edge is away');
  }
}
