import type { AgentReport, MachineWork } from '@bootswarm/controller/contract';

/** An agent that works reports each second. */
const SILENCE_MS = 15_000;
const MACHINES_MOST = 10_000;

/** What machines are at that takes its time, as their agents told last. Knows no clock: the time is given. */
export class WorkBoard {
  readonly #work = new Map<string, MachineWork & { readonly atMs: number }>();
  #isTold = true;

  /** A report without progress ends what its machine was at. */
  note(address: string, { mac, stage, detail, progress }: AgentReport, nowMs: number): void {
    if (this.#work.delete(mac)) this.#isTold = false;
    if (progress === undefined || this.#work.size >= MACHINES_MOST) return;
    const at = new Date(nowMs).toISOString();
    this.#work.set(mac, { mac, address, stage, detail, progress, at, atMs: nowMs });
    this.#isTold = false;
  }

  /** Those that were heard of lately. */
  at(nowMs: number): readonly MachineWork[] {
    for (const [mac, { atMs }] of this.#work) {
      // A map keeps the order of its changes: whoever follows told later.
      if (nowMs - atMs <= SILENCE_MS) break;
      this.#work.delete(mac);
      this.#isTold = false;
    }
    return [...this.#work.values()].map(({ atMs: _, ...work }) => work);
  }

  /** What there is to tell the controller; undefined where that knows it. */
  news(nowMs: number): readonly MachineWork[] | undefined {
    const work = this.at(nowMs);
    if (this.#isTold) return undefined;
    this.#isTold = true;
    return work;
  }

  /** It did not get there. */
  untold(): void {
    this.#isTold = false;
  }
}
