import { ipv4ToNumber, Mac, Name, numberToIpv4, Uuid } from '@bootswarm/controller/contract';
import { z } from 'zod';
import { DIRECT, FOREVER_MS, type Lease } from '../decide/lease.ts';

/** A lease as a file tells it: without a segment where the file knows none. */
export interface FiledLease extends Omit<Lease, 'segment'> {
  readonly segment?: string;
  /** Where it stands in its file, such as `line 3`. */
  readonly where: string;
}

/** What cannot be taken, and where it stands. */
export interface Wrong {
  readonly where: string;
  readonly reason: string;
}

export interface Reading {
  readonly leases: readonly FiledLease[];
  readonly wrong: readonly Wrong[];
}

/** Leases as text and back. Both are pure; `read` throws nothing: it names what is wrong. */
export interface LeaseFormat {
  render(leases: readonly Lease[]): string;
  read(text: string): Reading;
}

const Address = z.string().refine((text) => {
  try {
    return numberToIpv4(ipv4ToNumber(text)) === text;
  } catch {
    return false;
  }
}, 'must be an IPv4 address such as 10.1.2.3');

const NEVER = 'never';

const NO_END = `must be a time in UTC such as 2026-01-31T12:00:00Z, or ${NEVER}`;

/** Milliseconds of Unix time. */
const End = z
  .union([z.literal(NEVER), z.iso.datetime(NO_END)], NO_END)
  .transform((text) => (text === NEVER ? FOREVER_MS : Date.parse(text)));

const Origin = z.string().min(1).max(1024);

/** A lease in JSON and in CSV. */
const LeaseFacts = z.strictObject({
  address: Address,
  mac: Mac,
  segment: Name.optional(),
  state: z.enum(['bound', 'released', 'declined']),
  expires: End,
  uuid: Uuid.optional(),
  reservation: Origin.optional(),
  /** Where the client was heard: a relay, or on an attached network. */
  relay: z.union([z.literal(DIRECT), Address]).optional(),
  port: Origin.optional(),
});
export type LeaseFacts = z.input<typeof LeaseFacts>;
export const FACT_NAMES = LeaseFacts.keyof().options;
export const NEEDED_FACTS = FACT_NAMES.filter((name) => !LeaseFacts.shape[name].safeParse(undefined).success);

/** @throws TypeError for an offer, which is nothing to keep. */
export function factsOf({ expiresAtMs, state, ...lease }: Lease): LeaseFacts {
  const { address, mac, segment, ...rest } = lease;
  if (state === 'offered') throw new TypeError(`${address} is only offered`);
  return { address, mac, segment, state, expires: endText(expiresAtMs), ...rest };
}

/** ISO 8601 in UTC with milliseconds; beyond the year 9999, which few programs read, it is never. */
export function endText(expiresAtMs: number): string {
  return isForever(expiresAtMs) ? NEVER : new Date(expiresAtMs).toISOString();
}

export function isForever(expiresAtMs: number): boolean {
  return expiresAtMs >= Date.UTC(10_000, 0, 1);
}

/** @returns the lease, or what is wrong with each of its facts. */
export function leaseFrom(facts: unknown, where: string): FiledLease | readonly Wrong[] {
  const read = LeaseFacts.safeParse(facts);
  if (!read.success)
    return read.error.issues.map(({ path, message }) => ({
      where: [where, ...path].join(' '),
      reason: isMissing(facts, path) ? 'it is missing' : message,
    }));
  const { expires, ...lease } = read.data;
  return withoutUndefined({ ...lease, expiresAtMs: expires, where });
}

function isMissing(facts: unknown, [name]: readonly PropertyKey[]): boolean {
  return name !== undefined && (facts as Readonly<Record<PropertyKey, unknown>>)[name] === undefined;
}

/** Sorts what was read, and names addresses that stand there twice. */
export function readingOf(read: readonly (FiledLease | readonly Wrong[])[]): Reading {
  const byAddress = new Map<string, FiledLease>();
  const wrong: Wrong[] = [];
  for (const each of read) {
    if (isWrong(each)) wrong.push(...each);
    else {
      const before = byAddress.get(each.address);
      if (before) wrong.push({ where: each.where, reason: `${each.address} is in ${before.where} already` });
      else byAddress.set(each.address, each);
    }
  }
  return { leases: [...byAddress.values()], wrong };
}

export function isWrong(read: FiledLease | readonly Wrong[]): read is readonly Wrong[] {
  return Array.isArray(read);
}

function withoutUndefined<T extends object>(facts: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== undefined)) as never;
}
