import type { RoundNews } from './dhcp-round.ts';

/** How long what nobody waits for may stay in the thread. */
const LATE_AFTER_MS = 20;

/**
 * News that waits for a quiet moment: each message to the main thread wakes it, and that costs the next offer the
 * time of a processor (edge-node/decisions/0003).
 */
export class NewsBatch {
  readonly #post: (news: RoundNews) => void;
  #waiting: RoundNews[] = [];
  #sinceMs = 0;

  constructor(post: (news: RoundNews) => void) {
    this.#post = post;
  }

  get isEmpty(): boolean {
    return this.#waiting.length === 0;
  }

  /** News of leases, also of other servers', go at once: their machines ask TFTP and HTTP for their files next, and must be known there. */
  add(news: RoundNews, nowMs: number): void {
    if (this.isEmpty) this.#sinceMs = nowMs;
    this.#waiting.push(news);
    const isNextSoon = news.leases.length > 0 || news.seen?.some(({ address }) => address !== undefined);
    if (isNextSoon || news.failure !== undefined) this.flush();
  }

  /** At a quiet moment, and now and then where there is none. */
  flushIfDue(isQuiet: boolean, nowMs: number): void {
    if (this.isEmpty) return;
    if (isQuiet || nowMs - this.#sinceMs >= LATE_AFTER_MS || nowMs < this.#sinceMs) this.flush();
  }

  flush(): void {
    const [first, ...others] = this.#waiting;
    if (first === undefined) return;
    this.#waiting = [];
    this.#post(others.length === 0 ? first : others.reduce(joined, first));
  }
}

function joined(a: RoundNews, b: RoundNews): RoundNews {
  const failure = b.failure ?? a.failure;
  const clockSetMs = (a.clockSetMs ?? 0) + (b.clockSetMs ?? 0);
  return {
    counts: [...a.counts, ...b.counts],
    told: [...(a.told ?? []), ...(b.told ?? [])],
    journal: [...a.journal, ...b.journal],
    leases: [...a.leases, ...b.leases],
    seen: [...(a.seen ?? []), ...(b.seen ?? [])],
    commitMs: Math.max(a.commitMs, b.commitMs),
    ...(failure === undefined ? {} : { failure }),
    ...(clockSetMs === 0 ? {} : { clockSetMs }),
  };
}
