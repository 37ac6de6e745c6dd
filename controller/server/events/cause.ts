import { AsyncLocalStorage } from 'node:async_hooks';
import type { EventActor } from '@bootswarm/controller/contract';

/** Why something is committed: who asked for it, and in which request. */
export interface Cause {
  readonly by: EventActor;
  readonly request?: string;
}

/** What the controller does of itself: at its start, by its clock. */
const OF_ITSELF: Cause = { by: { kind: 'controller' } };

const causes = new AsyncLocalStorage<Cause>();

/** Runs `act`; whatever it commits, at whatever depth, has this cause. */
export function causedBy<T>(cause: Cause, act: () => T): T {
  return causes.run(cause, act);
}

export function causeNow(): Cause {
  return causes.getStore() ?? OF_ITSELF;
}
