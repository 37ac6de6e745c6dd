import type { Alarm } from '../decide/answer.ts';

const WINDOW_MS = 60_000;
/** Anybody can forge messages that name any server. */
const MOST = 20;

/** Lets the same alarm through once a minute, and of one cause in one segment no more than 20. */
export class AlarmGate {
  #seen = new Map<string, Set<string>>();
  #windowAtMs = 0;

  opens({ cause, segment, address, detail }: Alarm, nowMs: number): boolean {
    // A clock that was set back begins anew, too.
    if (nowMs - this.#windowAtMs >= WINDOW_MS || nowMs < this.#windowAtMs) {
      this.#seen = new Map();
      this.#windowAtMs = nowMs;
    }
    const about = `${cause} ${segment}`;
    const seen = this.#seen.get(about) ?? new Set();
    this.#seen.set(about, seen);
    const what = address ?? detail;
    if (seen.has(what) || seen.size >= MOST) return false;
    seen.add(what);
    return true;
  }
}
