import type { Lease } from '../decide/lease.ts';

/** How many entries are kept, the newest. */
export const HISTORY_MOST = 100_000;

/** That an address came to a machine, or that its time with it ended. */
export interface LeaseChange {
  /** Milliseconds of Unix time. */
  readonly atMs: number;
  readonly address: string;
  readonly segment: string;
  readonly mac: string;
  readonly uuid?: string;
  /** `ended`: its time was over. Nobody took note then; it is written when the address is given again. */
  readonly what: 'given' | 'released' | 'declined' | 'ended';
  /** Of `given`: until when, if it is not renewed. */
  readonly expiresAtMs?: number;
}

/**
 * What is history in a lease that takes the place of another: nothing in a renewal, which only extends.
 * @param before what was durable for the address.
 */
export function changesOf(before: Lease | undefined, after: Lease, nowMs: number): readonly LeaseChange[] {
  const held = before?.state === 'bound' ? before : undefined;
  const isHeld = held !== undefined && held.expiresAtMs > nowMs;
  const end = held && entry(held, Math.min(held.expiresAtMs, nowMs), 'ended');
  switch (after.state) {
    case 'offered':
      return [];
    case 'bound': {
      if (isHeld && held.mac === after.mac) return [];
      const given = { ...entry(after, nowMs, 'given'), expiresAtMs: after.expiresAtMs };
      return end ? [end, given] : [given];
    }
    case 'released':
      return isHeld ? [entry(held, nowMs, 'released')] : [];
    case 'declined': {
      const declined = entry(after, nowMs, 'declined');
      // Its holder's own refusal is its end.
      return end && !(isHeld && held.mac === after.mac) ? [end, declined] : [declined];
    }
  }
}

function entry({ address, segment, mac, uuid }: Lease, atMs: number, what: LeaseChange['what']): LeaseChange {
  return { atMs, address, segment, mac, ...(uuid === undefined ? {} : { uuid }), what };
}

/** A change as it is kept: without the names of its fields, which are a third of its bytes. */
export type HistoryRow = readonly [
  atMs: number,
  what: LeaseChange['what'],
  address: string,
  segment: string,
  mac: string,
  expiresAtMs: number | null,
  uuid?: string,
];

export function rowOf(change: LeaseChange): HistoryRow {
  const { atMs, what, address, segment, mac, expiresAtMs, uuid } = change;
  const end = expiresAtMs ?? null;
  return uuid === undefined
    ? [atMs, what, address, segment, mac, end]
    : [atMs, what, address, segment, mac, end, uuid];
}

export function changeOf([atMs, what, address, segment, mac, expiresAtMs, uuid]: HistoryRow): LeaseChange {
  return {
    atMs,
    address,
    segment,
    mac,
    what,
    ...(uuid === undefined ? {} : { uuid }),
    ...(expiresAtMs === null ? {} : { expiresAtMs }),
  };
}
