import type { Pool } from '../decide/site.ts';

const BITS = 32;

/**
 * Which addresses of a pool never had a lease, and, once all had one, which lease ended first. Both are found in
 * about the same time however many leases there are.
 */
export class PoolIndex {
  pool: Pool;
  /** One bit for each address: had a lease, or is barred. */
  readonly #used: Uint32Array;
  #unused: number;
  /** By when their leases end; only kept while nothing is unused. */
  #ends: ExpiryHeap | undefined;

  constructor(pool: Pool) {
    const size = pool.last - pool.first + 1;
    this.pool = pool;
    this.#used = new Uint32Array(Math.ceil(size / BITS));
    this.#unused = size;
    for (const { first, last } of pool.barred) {
      const end = Math.min(last, pool.last);
      for (let address = Math.max(first, pool.first); address <= end; address++) this.#setUsed(address);
    }
  }

  /** Whether it tells of the same addresses as when it was made. */
  isOf(pool: Pool): boolean {
    const { first, last, barred } = this.pool;
    if (pool === this.pool) return true;
    return (
      pool.first === first &&
      pool.last === last &&
      pool.barred.length === barred.length &&
      pool.barred.every((range, i) => range.first === barred[i]?.first && range.last === barred[i]?.last)
    );
  }

  /** Follows the lease of an address, if that is one of the pool; `undefined` where it has none any more. */
  note(address: number, expiresAtMs: number | undefined): void {
    const { first, last } = this.pool;
    if (address < first || address > last || this.pool.isBarred(address)) return;
    if (expiresAtMs === undefined) this.#setUnused(address);
    else {
      this.#setUsed(address);
      this.#ends?.push(expiresAtMs, address);
      if (this.#ends?.isBloated(last - first + 1)) this.#ends = undefined;
    }
  }

  /** The first address from `from` on, and round the end, that never had a lease. */
  unusedFrom(from: number): number | undefined {
    if (this.#unused === 0) return undefined;
    const size = this.pool.last - this.pool.first + 1;
    const start = from - this.pool.first;
    for (let offset = start; offset < start + size; ) {
      const at = offset % size;
      // A word of addresses that are all used is passed over at once.
      if (at % BITS === 0 && this.#used[at / BITS] === 0xffffffff && at + BITS <= size) offset += BITS;
      else if (!this.#isUsed(at)) return this.pool.first + at;
      else offset += 1;
    }
    return undefined;
  }

  /**
   * The address whose lease ended first, if it has ended.
   * @param endOf when the lease of an address ends; undefined where it has none.
   */
  endedFirst(nowMs: number, endOf: (address: number) => number | undefined): number | undefined {
    if (this.#unused > 0) return this.#search(nowMs, endOf);
    this.#ends ??= this.#allEnds(endOf);
    for (let top = this.#ends.top(); top !== undefined; top = this.#ends.top()) {
      // What has another end by now stands further back in the heap once more.
      if (endOf(top.address) !== top.expiresAtMs) this.#ends.pop();
      else return top.expiresAtMs <= nowMs ? top.address : undefined;
    }
    return undefined;
  }

  /** Only asked where somebody wants to compare: while addresses are unused, one of them is given. */
  #search(nowMs: number, endOf: (address: number) => number | undefined): number | undefined {
    return this.#allEnds(endOf).firstEnded(nowMs);
  }

  #allEnds(endOf: (address: number) => number | undefined): ExpiryHeap {
    const ends = new ExpiryHeap();
    for (let address = this.pool.first; address <= this.pool.last; address++) {
      const end = this.pool.isBarred(address) ? undefined : endOf(address);
      if (end !== undefined) ends.push(end, address);
    }
    return ends;
  }

  #isUsed(at: number): boolean {
    return (((this.#used[at >>> 5] ?? 0) >>> (at & 31)) & 1) === 1;
  }

  #setUsed(address: number): void {
    const at = address - this.pool.first;
    if (this.#isUsed(at)) return;
    this.#used[at >>> 5] = (this.#used[at >>> 5] ?? 0) | (1 << (at & 31));
    this.#unused -= 1;
  }

  #setUnused(address: number): void {
    const at = address - this.pool.first;
    if (!this.#isUsed(at)) return;
    this.#used[at >>> 5] = (this.#used[at >>> 5] ?? 0) & ~(1 << (at & 31));
    this.#unused += 1;
    this.#ends = undefined;
  }
}

interface End {
  readonly expiresAtMs: number;
  readonly address: number;
}

/** A binary heap, the earliest end on top. */
class ExpiryHeap {
  readonly #ends: End[] = [];

  top(): End | undefined {
    return this.#ends[0];
  }

  /** Whether ends that hold no more outnumber those of `addresses`. */
  isBloated(addresses: number): boolean {
    return this.#ends.length > 2 * addresses + 1024;
  }

  firstEnded(nowMs: number): number | undefined {
    const top = this.top();
    return top && top.expiresAtMs <= nowMs ? top.address : undefined;
  }

  push(expiresAtMs: number, address: number): void {
    const ends = this.#ends;
    let at = ends.length;
    const added = { expiresAtMs, address };
    ends.push(added);
    while (at > 0) {
      const above = (at - 1) >> 1;
      const parent = ends[above] as End;
      if (parent.expiresAtMs <= expiresAtMs) break;
      ends[at] = parent;
      ends[above] = added;
      at = above;
    }
  }

  pop(): void {
    const ends = this.#ends;
    const last = ends.pop();
    if (last === undefined || ends.length === 0) return;
    ends[0] = last;
    for (let at = 0; ; ) {
      const [left, right] = [2 * at + 1, 2 * at + 2];
      let least = at;
      if (left < ends.length && (ends[left] as End).expiresAtMs < (ends[least] as End).expiresAtMs)
        least = left;
      if (right < ends.length && (ends[right] as End).expiresAtMs < (ends[least] as End).expiresAtMs)
        least = right;
      if (least === at) return;
      const moved = ends[at] as End;
      ends[at] = ends[least] as End;
      ends[least] = moved;
      at = least;
    }
  }
}
