/** A cap of bytes a second. A taker may go into debt by one block, which later ones wait off. The clock is the caller's. */
export class TokenBucket {
  #perMs = Number.POSITIVE_INFINITY;
  #most = Number.POSITIVE_INFINITY;
  #tokens = Number.POSITIVE_INFINITY;
  #filledAtMs: number;

  /** @param bytesPerSecond undefined: no cap. A tenth of a second's worth may leave at once. */
  constructor(bytesPerSecond: number | undefined, nowMs: number) {
    this.#filledAtMs = nowMs;
    this.limit(bytesPerSecond, nowMs);
  }

  /** Another cap from now on. What was taken before under the old one is forgotten. */
  limit(bytesPerSecond: number | undefined, nowMs: number): void {
    this.#perMs = (bytesPerSecond ?? Number.POSITIVE_INFINITY) / 1000;
    this.#most = this.#perMs * 100;
    this.#tokens = this.#most;
    this.#filledAtMs = nowMs;
  }

  /** Takes the bytes where the cap lets anything through now. */
  take(bytes: number, nowMs: number): boolean {
    if (this.#perMs === Number.POSITIVE_INFINITY) return true;
    this.#tokens = Math.min(this.#most, this.#tokens + (nowMs - this.#filledAtMs) * this.#perMs);
    this.#filledAtMs = nowMs;
    if (this.#tokens <= 0) return false;
    this.#tokens -= bytes;
    return true;
  }

  /** What was taken was not used. */
  giveBack(bytes: number): void {
    if (this.#perMs !== Number.POSITIVE_INFINITY) this.#tokens = Math.min(this.#most, this.#tokens + bytes);
  }
}
