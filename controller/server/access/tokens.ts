import { createHash, randomBytes } from 'node:crypto';
import { type EventActor, problem } from '@bootswarm/controller/contract';
import type { StateStore } from '../store/state-store.ts';
import { type Reads, transact } from '../store/transact.ts';

/** Who calls. */
export type Actor =
  | { readonly kind: 'operator' }
  | { readonly kind: 'edge'; readonly edge: string }
  | { readonly kind: 'join'; readonly edge: string; readonly expiresAt: string };

const PREFIX = 'tokens/';
const LETTERS = { operator: 'bso', edge: 'bse', join: 'bsj' } as const;

/** A fresh bearer token: 256 random bits behind letters that tell its kind to a person. */
export function makeToken(kind: Actor['kind']): string {
  return `${LETTERS[kind]}_${randomBytes(32).toString('base64url')}`;
}

/** Only hashes are stored. They need no salt or stretching: a token is 256 random bits. */
export function tokenKey(token: string): string {
  return PREFIX + createHash('sha256').update(token).digest('hex');
}

/** The holder of a token, or undefined where it is unknown or has expired. */
export async function actorOf(store: StateStore, token: string, now: Date): Promise<Actor | undefined> {
  const entry = await store.get(tokenKey(token));
  const actor = entry?.value as Actor | undefined;
  if (actor?.kind === 'join' && actor.expiresAt <= now.toISOString()) return undefined;
  return actor;
}

/** How events name who calls: an operator's token by the first digits of its hash, which tell it from others. */
export function eventActorOf(actor: Actor, token: string): EventActor {
  const name =
    actor.kind === 'operator' ? tokenKey(token).slice(PREFIX.length, PREFIX.length + 8) : actor.edge;
  return { kind: actor.kind, name };
}

/** Keys of all tokens of a kind; with `edge`, of that edge alone. */
export async function tokenKeys(
  store: StateStore,
  kind: Actor['kind'],
  edge?: string,
): Promise<readonly string[]> {
  const entries = await store.list(PREFIX);
  return entries
    .filter(({ value }) => {
      const actor = value as Actor;
      return (
        actor.kind === kind && (edge === undefined || (actor.kind !== 'operator' && actor.edge === edge))
      );
    })
    .map(({ key }) => key);
}

/**
 * The operator's token, where there is none yet or `renew` asks for a new one (then the old ones end).
 * @returns the token, to be shown once, or undefined where one exists already.
 */
export async function ensureOperatorToken(store: StateStore, renew: boolean): Promise<string | undefined> {
  const held = await tokenKeys(store, 'operator');
  if (held.length > 0 && !renew) return undefined;
  const token = makeToken('operator');
  const actor: Actor = { kind: 'operator' };
  await store.commit({ put: { [tokenKey(token)]: actor }, remove: held });
  return token;
}

/**
 * Spends a join token: the same commit removes it and writes what joining brings, so that of several who
 * try, one wins.
 * @throws Problem `join_token_refused`
 */
export function spendJoinToken<T>(
  store: StateStore,
  token: string,
  now: Date,
  plan: (
    edge: string,
    reads: Reads,
  ) => Promise<{ put: Record<string, unknown>; remove: readonly string[]; result: T }>,
): Promise<T> {
  return transact(store, 'the join token', async (reads) => {
    const entry = await reads.get(tokenKey(token));
    const actor = entry?.value as Actor | undefined;
    if (actor?.kind !== 'join' || actor.expiresAt <= now.toISOString()) throw problem('join_token_refused');
    const { put, remove, result } = await plan(actor.edge, reads);
    return { put, remove: [...remove, tokenKey(token)], result };
  });
}
