import { createHash } from 'node:crypto';
import {
  AGENT_WAIT_MOST_SECONDS,
  type AgentLog,
  type AgentOrder,
  type AgentReport,
  type SwarmTerms,
} from '@bootswarm/controller/contract';
import type { Logger } from 'pino';
import type { Lease } from '../decide/lease.ts';
import { CallBudget } from './call-budget.ts';
import type { Duty } from './duty.ts';
import { problem } from './problems.ts';
import { type HeardAgent, heardOf, newsOf } from './report-news.ts';
import type { WorkBoard } from './work-board.ts';

/** A quiet agent makes two calls a minute; one that works reports each second, and sends its log. */
const CALLS_PER_MINUTE = 180;
/** Agents whose last report is remembered. */
const AGENTS_MOST = 10_000;

export interface AgentDeskParts {
  /** The last lease of an address. */
  readonly holderOf: (address: string) => Lease | undefined;
  /** @param httpUrl of this edge, as the machine reached it. */
  readonly dutyOf: (lease: Lease, httpUrl: string) => Duty;
  /** With whom a machine shares what its duty makes it fetch. */
  readonly swarmFor: (lease: Lease, duty: Duty, httpUrl: string) => SwarmTerms | undefined;
  /** Journals what an agent said. */
  readonly tell: (lease: Lease, detail: string, report: AgentReport) => void;
  readonly board: Pick<WorkBoard, 'note'>;
  readonly log: Pick<Logger, 'info'>;
  readonly nowMs?: () => number;
}

/** Who asks for an order. */
export interface OrderCaller {
  readonly address: string;
  /** Of this edge, as the machine reached it. */
  readonly httpUrl: string;
  /** Whether it can fetch of its neighbours. */
  readonly canSwarm: boolean;
}

/** Where agents report, and are told what to do. A machine is known by its address, and by the lease of that. */
export class AgentDesk {
  readonly #parts: AgentDeskParts;
  readonly #nowMs: () => number;
  readonly #budget = new CallBudget(CALLS_PER_MINUTE);
  readonly #heard = new Map<string, HeardAgent>();
  /** Who waits for another order, by MAC: each machine has one agent, and that waits once. */
  readonly #waiting = new Map<string, (isChange: boolean) => void>();

  constructor(parts: AgentDeskParts) {
    this.#parts = parts;
    this.#nowMs = parts.nowMs ?? Date.now;
  }

  /** @throws Problem agent_without_lease, agent_other_machine, agent_too_often */
  report(address: string, report: AgentReport): void {
    const lease = this.admit(address);
    if (report.mac !== lease.mac)
      throw problem('agent_other_machine', {
        field: 'mac',
        facts: { address, held: lease.mac, mac: report.mac },
      });
    this.#parts.board.note(address, report, this.#nowMs());
    const news = newsOf(report, this.#heard.get(lease.mac));
    this.#heard.delete(lease.mac);
    this.#heard.set(lease.mac, heardOf(report));
    if (this.#heard.size > AGENTS_MOST) {
      const [oldest] = this.#heard.keys();
      if (oldest !== undefined) this.#heard.delete(oldest);
    }
    if (news !== undefined) this.#parts.tell(lease, news, report);
  }

  /** @throws Problem agent_without_lease, agent_too_often */
  takeLog(address: string, { lines }: AgentLog): void {
    const { mac } = this.admit(address);
    this.#parts.log.info({ mac, address, lines }, 'an agent');
  }

  /**
   * What a machine is to do, once that is not what `after` was, or when the wait is over.
   * @param waitSeconds at most AGENT_WAIT_MOST_SECONDS. @param signal ends the wait: the agent hung up.
   * @throws Problem agent_without_lease, agent_too_often
   */
  async order(
    { address, httpUrl, canSwarm }: OrderCaller,
    after: string | undefined,
    waitSeconds: number,
    signal: AbortSignal,
  ): Promise<AgentOrder> {
    const { mac } = this.admit(address);
    const deadline = this.#nowMs() + Math.min(waitSeconds, AGENT_WAIT_MOST_SECONDS) * 1000;
    this.#waiting.get(mac)?.(false);
    for (;;) {
      const { dutyOf, swarmFor } = this.#parts;
      const lease = this.#lease(address);
      const duty = dutyOf(lease, httpUrl);
      const swarm = canSwarm ? swarmFor(lease, duty, httpUrl) : undefined;
      const order = orderOf(duty, swarm);
      const leftMs = deadline - this.#nowMs();
      if (order.token !== after || leftMs <= 0 || signal.aborted) return order;
      if (!(await this.#change(mac, leftMs, signal))) return order;
    }
  }

  /** There is another desired state: whoever waits looks at it. @param mac of the one whom it is about, if it is one. */
  changed(mac?: string): void {
    const woken = mac === undefined ? [...this.#waiting.values()] : [this.#waiting.get(mac)];
    for (const wake of woken) wake?.(true);
  }

  /** Resolves at a change: true; or when the time is over, the agent is gone, or it asks a second time: false. */
  #change(mac: string, leftMs: number, signal: AbortSignal): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const end = (): void => resolve(false);
    const timer = setTimeout(end, leftMs);
    this.#waiting.set(mac, resolve);
    signal.addEventListener('abort', end, { once: true });
    return promise.finally(() => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      if (this.#waiting.get(mac) === resolve) this.#waiting.delete(mac);
    });
  }

  /** Who calls from an address; the call counts. @throws Problem agent_without_lease, agent_too_often */
  admit(address: string): Lease {
    const lease = this.#lease(address);
    if (!this.#budget.take(lease.mac, this.#nowMs()))
      throw problem('agent_too_often', { facts: { most: CALLS_PER_MINUTE, mac: lease.mac } });
    return lease;
  }

  #lease(address: string): Lease {
    const lease = this.#parts.holderOf(address);
    if (lease?.state !== 'bound' || lease.expiresAtMs <= this.#nowMs())
      throw problem('agent_without_lease', { facts: { address } });
    return lease;
  }
}

function orderOf({ intent, epoch, work = {} }: Duty, swarm: SwarmTerms | undefined): AgentOrder {
  const { install, wipe, ...rest } = work;
  // Each order has a ticket of its own, which makes it no other order. Nor do others that fetch the same, or do so no more.
  const said = [intent, epoch, rest, withoutTicket(install), withoutTicket(wipe)];
  const token = createHash('sha256').update(JSON.stringify(said)).digest('hex').slice(0, 16);
  return { token, intent, ...work, ...(swarm === undefined ? {} : { swarm }) };
}

function withoutTicket<Order extends { readonly ticket: string }>(
  order: Order | undefined,
): Omit<Order, 'ticket'> | undefined {
  if (!order) return undefined;
  const { ticket: _, ...rest } = order;
  return rest;
}
