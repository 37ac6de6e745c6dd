import { type Machine, POWER_ACTIONS_OF, type PowerAction } from '@bootswarm/controller/contract';
import { Problem } from '@bootswarm/images/format';
import type { PowerDesk } from '../power/desk.ts';
import type { ErrandEnd } from './planner/index.ts';

/** Longest that one look at a power action waits. */
const LOOK_MS = 20_000;

/** How rollouts have machines started anew. */
export interface PowerHands {
  /**
   * Starts a machine anew, once: an action that was ordered since then is waited for, and none is ordered beside it.
   * @param since when the commit was made that wants it.
   */
  restart(machine: Machine, since: string, signal: AbortSignal): Promise<ErrandEnd>;
}

/** By the machine's BMC. The order is kept in the store before anything is said to the BMC. */
export class BmcHands implements PowerHands {
  readonly #power: Pick<PowerDesk, 'order' | 'show'>;

  constructor(power: Pick<PowerDesk, 'order' | 'show'>) {
    this.#power = power;
  }

  async restart(machine: Machine, since: string, signal: AbortSignal): Promise<ErrandEnd> {
    try {
      let held = await this.#power.show(machine.id, -1, 0, signal);
      if ((held.power?.askedAt ?? '') < since)
        held = await this.#power.order(machine.id, { action: actionOf(machine) });
      const number = held.power?.number;
      for (;;) {
        signal.throwIfAborted();
        const { power } = held;
        if (power === undefined || power.number !== number) return { ok: true };
        if (power.state === 'done' || power.state === 'booting') return { ok: true };
        if (power.state === 'failed')
          return { ok: false, detail: power.cause?.message ?? 'the action failed' };
        held = await this.#power.show(machine.id, power.changes, LOOK_MS, signal);
      }
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof Problem) return { ok: false, detail: `${error.message}; ${error.remedy}` };
      throw error;
    }
  }
}

/** Off and on again, from the network where the BMC can say so: the boot order of a machine may have its disk first. */
function actionOf({ bmc }: Machine): PowerAction {
  const able: readonly PowerAction[] = bmc === undefined ? [] : POWER_ACTIONS_OF[bmc.kind];
  return (['pxe', 'cycle', 'on'] as const).find((action) => able.includes(action)) ?? 'cycle';
}
