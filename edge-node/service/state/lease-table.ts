import { ipv4FromNumber, ipv4ToNumber } from '@bootswarm/edge-node/dhcp4';
import { FOREVER_MS, type Lease, type LeaseView, type Origin } from '../decide/lease.ts';
import type { Pool } from '../decide/site.ts';
import { LeaseCounts } from './lease-counts.ts';
import { PoolIndex } from './pool-index.ts';

/** Where leases are kept for good. */
export interface LeaseLog {
  /** Every lease, one for each address. */
  readAll(): Iterable<Lease>;
  /** All of them or none. They are durable when it returns. */
  writeAll(leases: readonly Lease[]): void;
  /** The same leases with other ends, as `writeAll`: nothing of it is history. */
  rewrite(leases: readonly Lease[]): void;
}

/** What one address and one machine had before a lease was remembered. */
interface Undo {
  readonly lease: Lease;
  readonly before: Lease | undefined;
  readonly displaced: Lease | undefined;
  readonly elsewhere: Lease | undefined;
}

/**
 * The leases of this edge: decided in memory, by one writer, and made durable behind it, those of one round in
 * one commit.
 */
export class LeaseTable implements LeaseView {
  readonly #log: LeaseLog;
  readonly #byAddress = new Map<string, Lease>();
  readonly #byMac = new Map<string, Lease>();
  /** Of the pools that were asked about, by segment. */
  readonly #indexes = new Map<string, PoolIndex[]>();
  readonly #counts = new LeaseCounts();
  #sinceFlush: Undo[] = [];

  constructor(log: LeaseLog) {
    this.#log = log;
    // A machine that changed its address has two: the one that lives longest is where it is now.
    const leases = [...log.readAll()].toSorted((a, b) => a.expiresAtMs - b.expiresAtMs);
    for (const lease of leases) this.remember(lease);
    this.#sinceFlush = [];
  }

  ofMac(segment: string, mac: string): Lease | undefined {
    return this.#byMac.get(keyOf(segment, mac));
  }

  at(address: string): Lease | undefined {
    return this.#byAddress.get(address);
  }

  unusedIn(pool: Pool, from: number): number | undefined {
    return this.#indexOf(pool).unusedFrom(from);
  }

  longestFreeIn(pool: Pool, nowMs: number): Lease | undefined {
    const address = this.#indexOf(pool).endedFirst(
      nowMs,
      (number) => this.at(ipv4FromNumber(number))?.expiresAtMs,
    );
    return address === undefined ? undefined : this.at(ipv4FromNumber(address));
  }

  isFull(origin: Origin, most: number, nowMs: number): boolean {
    return this.#counts.isFull(originKey(origin), most, nowMs, (address) => {
      const lease = this.at(address);
      return lease !== undefined && lease.expiresAtMs > nowMs && lease[origin.kind] === origin.name;
    });
  }

  isQuarantineFull(segment: string, most: number, nowMs: number): boolean {
    return this.#counts.isFull(quarantineKey(segment), most, nowMs, (address) => {
      const lease = this.at(address);
      return lease?.state === 'declined' && lease.expiresAtMs > nowMs;
    });
  }

  /** Every address that has a lease, live or not. */
  all(): Iterable<Lease> {
    return this.#byAddress.values();
  }

  /** Later decisions see the lease at once. It is durable after the next flush. */
  remember(lease: Lease): void {
    const key = keyOf(lease.segment, lease.mac);
    const before = this.#byAddress.get(lease.address);
    const elsewhere = this.#byMac.get(key);
    const displaced = before && before.mac !== lease.mac ? this.ofMac(before.segment, before.mac) : undefined;
    this.#sinceFlush.push({ lease, before, displaced, elsewhere });

    if (displaced) this.#forgetMac(displaced, lease.address);
    // What a machine leaves behind for another address is free at once, if it never was more than an offer.
    if (elsewhere && elsewhere.address !== lease.address && elsewhere.state === 'offered')
      this.#forgetAddress(elsewhere);
    this.#setAddress(lease);
    // A declined address is no affinity: its machine must get another.
    if (lease.state === 'declined') this.#forgetMac(lease, lease.address);
    else this.#byMac.set(key, lease);
  }

  /**
   * Makes durable what was remembered since the last flush. Offers stay in memory alone: nobody relies on one
   * after a restart.
   * @throws what the disk throws; the table is then as it was at the last flush.
   */
  flush(): void {
    const round = this.#sinceFlush;
    this.#sinceFlush = [];
    const leases = round.map(({ lease }) => lease).filter(({ state }) => state !== 'offered');
    if (leases.length === 0) return;
    try {
      this.#log.writeAll(leases);
    } catch (error) {
      for (const undo of round.toReversed()) this.#takeBack(undo);
      throw error;
    }
  }

  /**
   * The host's clock was set: every lease and offer ends as long from now as it would have. To be called between flushes.
   * @returns the leases; `rewrite` makes them durable.
   */
  shift(byMs: number): readonly Lease[] {
    for (const [address, lease] of this.#byAddress) this.#byAddress.set(address, shifted(lease, byMs));
    for (const [key, lease] of this.#byMac) this.#byMac.set(key, shifted(lease, byMs));
    this.#indexes.clear();
    return [...this.#byAddress.values()].filter(({ state }) => state !== 'offered');
  }

  /** @throws what the disk throws. */
  rewrite(shifted: readonly Lease[]): void {
    this.#log.rewrite(shifted);
  }

  #takeBack({ lease, before, displaced, elsewhere }: Undo): void {
    if (before) this.#setAddress(before);
    else this.#forgetAddress(lease);
    this.#byMac.delete(keyOf(lease.segment, lease.mac));
    if (displaced) this.#byMac.set(keyOf(displaced.segment, displaced.mac), displaced);
    if (elsewhere) {
      this.#byMac.set(keyOf(elsewhere.segment, elsewhere.mac), elsewhere);
      this.#setAddress(elsewhere);
    }
  }

  #setAddress(lease: Lease): void {
    const { segment, address, expiresAtMs } = lease;
    this.#byAddress.set(address, lease);
    for (const index of this.#indexes.get(segment) ?? []) index.note(ipv4ToNumber(address), expiresAtMs);
    for (const kind of ['relay', 'port'] as const) {
      const name = lease[kind];
      if (name !== undefined) this.#counts.add(originKey({ segment, kind, name }), address);
    }
    if (lease.state === 'declined') this.#counts.add(quarantineKey(segment), address);
  }

  #forgetAddress({ segment, address }: Lease): void {
    this.#byAddress.delete(address);
    for (const index of this.#indexes.get(segment) ?? []) index.note(ipv4ToNumber(address), undefined);
  }

  /**
   * Made from the leases when a pool is first asked about, and kept over desired states that do not change it;
   * another of the same name takes its place.
   */
  #indexOf(pool: Pool): PoolIndex {
    const indexes = this.#indexes.get(pool.segment) ?? [];
    const known = indexes.find((index) => index.isOf(pool));
    if (known) {
      known.pool = pool;
      return known;
    }
    const index = new PoolIndex(pool);
    for (const { address, expiresAtMs } of this.#leasesIn(pool))
      index.note(ipv4ToNumber(address), expiresAtMs);
    this.#indexes.set(pool.segment, [...indexes.filter(({ pool: other }) => other.key !== pool.key), index]);
    return index;
  }

  /** Looks at the addresses of the pool or at all leases, whichever are fewer. */
  *#leasesIn({ first, last }: Pool): Iterable<Lease> {
    if (last - first >= this.#byAddress.size) {
      yield* this.#byAddress.values();
      return;
    }
    for (let number = first; number <= last; number++) {
      const lease = this.at(ipv4FromNumber(number));
      if (lease) yield lease;
    }
  }

  #forgetMac({ segment, mac }: Lease, address: string): void {
    const key = keyOf(segment, mac);
    if (this.#byMac.get(key)?.address === address) this.#byMac.delete(key);
  }
}

function shifted(lease: Lease, byMs: number): Lease {
  if (lease.expiresAtMs === FOREVER_MS) return lease;
  return { ...lease, expiresAtMs: Math.min(lease.expiresAtMs + byMs, FOREVER_MS - 1) };
}

function originKey({ segment, kind, name }: Origin): string {
  return `${segment} ${kind} ${name}`;
}

function quarantineKey(segment: string): string {
  return `${segment} quarantine`;
}

function keyOf(segment: string, mac: string): string {
  return `${segment} ${mac}`;
}
