/** Seconds over which a rate is told. */
const SPAN_SECONDS = 3;

/** Bytes that moved, in all and a second lately. The clock is the caller's. */
export class Rate {
  bytes = 0;
  #perSecond = 0;
  #seenBytes = 0;
  #seenAtMs: number;

  constructor(nowMs: number) {
    this.#seenAtMs = nowMs;
  }

  add(bytes: number): void {
    this.bytes += bytes;
  }

  get perSecond(): number {
    return this.#perSecond;
  }

  /** To be called a few times a second. */
  tick(nowMs: number): void {
    const seconds = (nowMs - this.#seenAtMs) / 1000;
    if (seconds <= 0) return;
    const now = (this.bytes - this.#seenBytes) / seconds;
    const weight = this.#perSecond === 0 ? 1 : Math.min(1, seconds / SPAN_SECONDS);
    this.#perSecond += (now - this.#perSecond) * weight;
    this.#seenBytes = this.bytes;
    this.#seenAtMs = nowMs;
  }
}
