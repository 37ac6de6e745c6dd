import type { EdgeWork, FleetWork } from '@bootswarm/controller/contract';

/** An edge that tells nothing for so long is away: what its machines are at nobody knows. */
const SILENCE_MS = 30_000;

/** What machines are at now. It is of the moment, and in memory alone: what matters of it stands in journals. */
export class FleetWorkBoard {
  /** By edge. */
  readonly #told = new Map<string, { readonly work: EdgeWork; readonly atMs: number }>();

  take(edge: string, work: EdgeWork, nowMs: number): void {
    if (work.machines.length === 0) this.#told.delete(edge);
    else this.#told.set(edge, { work, atMs: nowMs });
  }

  show(nowMs: number): FleetWork {
    const shown: FleetWork = [];
    for (const [edge, { work, atMs }] of this.#told) {
      if (nowMs - atMs > SILENCE_MS) this.#told.delete(edge);
      else shown.push(...work.machines.map((machine) => ({ ...machine, edge })));
    }
    return shown;
  }
}
