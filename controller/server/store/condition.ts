import { AsyncLocalStorage } from 'node:async_hooks';
import type { Reads } from './transact.ts';

/** What must hold for a change to be made; it reads what it asks about. @throws Problem where it does not hold. */
export type Condition = (reads: Reads) => Promise<void>;

const conditions = new AsyncLocalStorage<{ condition: Condition | undefined }>();

/**
 * Runs `act`, whose first transaction holds only where `condition` does: what that reads must be unchanged when it
 * commits, so that nobody comes between the two. Later transactions see what the first has done, and are not asked.
 */
export function onlyWhere<T>(condition: Condition, act: () => T): T {
  return conditions.run({ condition }, act);
}

/** The condition of whoever runs, for the transaction that begins; no other gets it. */
export function takeCondition(): Condition | undefined {
  const held = conditions.getStore();
  const condition = held?.condition;
  if (held) held.condition = undefined;
  return condition;
}
