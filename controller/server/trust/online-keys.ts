import { type OnlineKeys, problem } from '@bootswarm/controller/contract';
import { makeSigningKey, type SigningKey } from '@bootswarm/images/format';
import { maySign } from '@bootswarm/images/trust';
import type { StateStore } from '../store/state-store.ts';
import { type Reads, transact } from '../store/transact.ts';

const KEY = 'trust/online-keys';

/** What the controller signs snapshots and timestamps with. They vouch for no release: that takes the operator's. */
export interface KeyPairs {
  readonly snapshot: SigningKey;
  readonly timestamp: SigningKey;
}

interface Kept extends KeyPairs {
  /** Made to follow them, once a root names them. */
  readonly next?: KeyPairs;
}

function makePairs(): KeyPairs {
  return { snapshot: makeSigningKey(), timestamp: makeSigningKey() };
}

function publicOf({ snapshot, timestamp }: KeyPairs): OnlineKeys {
  return { snapshot: snapshot.publicKey, timestamp: timestamp.publicKey };
}

/** The public halves; made at the first call. */
export function ensureOnlineKeys(store: StateStore): Promise<OnlineKeys> {
  return transact(store, 'the online keys', async (reads) => {
    const held = (await reads.get(KEY))?.value as Kept | undefined;
    if (held) return { result: publicOf(held) };
    const made = makePairs();
    return { put: { [KEY]: made }, result: publicOf(made) };
  });
}

/** Others, which serve once a root names them. Those that were made before and no root named are forgotten. */
export function makeNextOnlineKeys(store: StateStore): Promise<OnlineKeys> {
  return transact(store, 'the online keys', async (reads) => {
    const { snapshot, timestamp } = ((await reads.get(KEY))?.value as Kept | undefined) ?? makePairs();
    const next = makePairs();
    const kept: Kept = { snapshot, timestamp, next };
    return { put: { [KEY]: kept }, result: publicOf(next) };
  });
}

/**
 * The pairs that a root names: those that serve, or the next, which serve from then on.
 * @returns also what to put.
 * @throws Problem trust_online_keys where it names neither.
 */
export async function pairsFor(
  reads: Reads,
  root: string,
): Promise<{ readonly pairs: KeyPairs; readonly put: Readonly<Record<string, unknown>> }> {
  const held = (await reads.get(KEY))?.value as Kept | undefined;
  const wrong = (pairs: KeyPairs | undefined) =>
    (['snapshot', 'timestamp'] as const).find(
      (role) => pairs === undefined || !maySign(root, role, pairs[role].publicKey),
    );
  if (held && wrong(held) === undefined) return { pairs: held, put: {} };
  if (held?.next && wrong(held.next) === undefined) return { pairs: held.next, put: { [KEY]: held.next } };
  throw problem('trust_online_keys', { field: 'root', facts: { role: wrong(held) ?? 'snapshot' } });
}
