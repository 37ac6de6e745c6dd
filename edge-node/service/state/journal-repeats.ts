import type { BootStage, JournalRecord } from '@bootswarm/controller/contract';

/** A record that has no number yet. */
export type Unnumbered = Omit<JournalRecord, 'seq'>;

/** Within this, the same again is only counted. */
const WINDOW_MS = 60_000;
const MOST = 50_000;

/** Whoever gets here has left DHCP behind: what comes after it is another try, not the same again. */
const TRANSFERS: ReadonlySet<BootStage> = new Set([
  'firmware',
  'script',
  'kernel',
  'initramfs',
  'root',
  'answers',
  'installed',
]);

interface Seen {
  /** The last one that was the same. */
  record: Unnumbered;
  /** How many were the same since the last that was written. */
  times: number;
  sinceMs: number;
  readonly order: number;
}

/**
 * Lets the first of equal records through at once, and counts those that follow within a minute: a machine that
 * asks in vain asks every few seconds, and a person needs to be told once. Equal are those of the same machine,
 * stage, cause and detail with no transfer between them. No clock of its own.
 */
export class Repeats {
  /** In the order in which their minutes began. */
  readonly #seen = new Map<string, Seen>();
  /** By MAC: after which record it got on, in the order in which they did. */
  readonly #gotOn = new Map<string, { readonly order: number; readonly atMs: number }>();
  readonly #most: number;
  #order = 0;

  /** @param most records of which equals are looked for; of more than that, the oldest are let go. */
  constructor(most = MOST) {
    this.#most = most;
  }

  /** What of `records` is to be written now, in order, and counts that end early by it. */
  take(records: readonly Unnumbered[], nowMs: number): Unnumbered[] {
    const written: Unnumbered[] = [];
    for (const record of records) {
      this.#order += 1;
      const key = keyOf(record);
      const seen = this.#seen.get(key);
      if (seen && nowMs - seen.sinceMs < WINDOW_MS && !this.#gotOnSince(record.mac, seen.order)) {
        seen.record = record;
        seen.times += 1;
        continue;
      }
      if (seen) this.#forget(key, seen, written);
      written.push(record);
      if (record.cause === undefined && record.mac !== undefined && TRANSFERS.has(record.stage)) {
        this.#gotOn.delete(record.mac);
        this.#gotOn.set(record.mac, { order: this.#order, atMs: nowMs });
        continue;
      }
      this.#seen.set(key, { record, times: 0, sinceMs: nowMs, order: this.#order });
      if (this.#seen.size > this.#most) this.#makeRoom(written);
    }
    return written;
  }

  /** Counts whose minute is over. Whoever goes on goes on being counted. */
  due(nowMs: number): Unnumbered[] {
    const written: Unnumbered[] = [];
    for (const [key, seen] of this.#seen) {
      if (nowMs - seen.sinceMs < WINDOW_MS) break;
      const { times } = seen;
      this.#forget(key, seen, written);
      // Behind all others, since its minute begins now; and not met again in this loop.
      if (times > 0) this.#seen.set(key, { ...seen, times: 0, sinceMs: nowMs });
    }
    for (const [mac, { atMs }] of this.#gotOn) {
      if (nowMs - atMs < WINDOW_MS) break;
      this.#gotOn.delete(mac);
    }
    return written;
  }

  /** Every count there is; nothing is remembered. */
  end(): Unnumbered[] {
    const written: Unnumbered[] = [];
    for (const [key, seen] of this.#seen) this.#forget(key, seen, written);
    return written;
  }

  #gotOnSince(mac: string | undefined, order: number): boolean {
    return mac !== undefined && (this.#gotOn.get(mac)?.order ?? 0) > order;
  }

  /** An eighth at once: finding the oldest of a Map gets slow when many before it were removed one by one. */
  #makeRoom(written: Unnumbered[]): void {
    let left = Math.max(1, this.#most >> 3);
    for (const [key, seen] of this.#seen) {
      this.#forget(key, seen, written);
      left -= 1;
      if (left === 0) break;
    }
  }

  #forget(key: string, { record, times }: Seen, written: Unnumbered[]): void {
    this.#seen.delete(key);
    if (times > 0) written.push({ ...record, times });
  }
}

function keyOf({ mac, segment, stage, cause, detail }: Unnumbered): string {
  return `${mac ?? segment} ${stage} ${cause} ${detail}`;
}
