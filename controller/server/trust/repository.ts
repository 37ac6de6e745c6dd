import { makeSnapshot, makeTimestamp, outlineOf } from '@bootswarm/images/trust';
import type { StateStore } from '../store/state-store.ts';
import type { Reads } from '../store/transact.ts';
import type { KeyPairs } from './online-keys.ts';

const ROOTS = 'trust/roots';
/** Read and written by all that changes what is signed: of two at once, one looks again. */
const SIGNED = 'trust/signed';

/** Versions that stay beside the newest: a client that has read a timestamp then asks for what it names. */
const KEPT = { targets: 2, snapshots: 8 } as const;

/** Metadata as texts; of each list, the newest is the last. */
export interface Signed {
  readonly targets: readonly string[];
  readonly snapshots: readonly string[];
  readonly timestamp: string;
}

type Get = Pick<Reads | StateStore, 'get'>;

/** Every root from the first on, by which a client that was away goes from one to the next. */
export async function rootsIn(reads: Get): Promise<readonly string[]> {
  return ((await reads.get(ROOTS))?.value as readonly string[] | undefined) ?? [];
}

export async function signedIn(reads: Get): Promise<Signed | undefined> {
  return (await reads.get(SIGNED))?.value as Signed | undefined;
}

/** What to put where a root follows. */
export function withRoot(roots: readonly string[], root: string): Readonly<Record<string, unknown>> {
  return { [ROOTS]: [...roots, root] };
}

/** What to put where targets are signed anew, or only the snapshot and the timestamp of those that are there. */
export function withSigned(
  held: Signed | undefined,
  targets: string,
  pairs: KeyPairs,
  now: Date,
): Readonly<Record<string, unknown>> {
  const before = held?.targets ?? [];
  const snapshot = makeSnapshot(held?.snapshots.at(-1), targets, pairs.snapshot, now);
  const signed: Signed = {
    targets: targets === before.at(-1) ? before : [...before, targets].slice(-KEPT.targets),
    snapshots: [...(held?.snapshots ?? []), snapshot].slice(-KEPT.snapshots),
    timestamp: makeTimestamp(held?.timestamp, snapshot, pairs.timestamp, now),
  };
  return { [SIGNED]: signed };
}

/** A file as clients of TUF name it, or undefined where there is none of that version. */
export function fileOf(
  name: string,
  roots: readonly string[],
  signed: Signed | undefined,
): string | undefined {
  const [, version, role] = /^(?:(\d+)\.)?(root|timestamp|snapshot|targets)\.json$/.exec(name) ?? [];
  const pick = (from: readonly string[]): string | undefined =>
    version === undefined ? from.at(-1) : from.find((text) => outlineOf(text).version === Number(version));
  if (role === 'root') return pick(roots);
  if (role === 'snapshot') return pick(signed?.snapshots ?? []);
  if (role === 'targets') return pick(signed?.targets ?? []);
  return role === 'timestamp' && version === undefined ? signed?.timestamp : undefined;
}
