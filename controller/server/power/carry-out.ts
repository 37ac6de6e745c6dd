import { setTimeout as sleep } from 'node:timers/promises';
import { type PowerSeen, type PowerStep, problem } from '@bootswarm/controller/contract';
import { type Driver, isTransient } from './driver.ts';

export interface Pace {
  /** A BMC that took an order has this long until its status says so. Servers with much memory take half a minute. */
  readonly settleMs: number;
  readonly pollMs: number;
  /** Before the first try again; each further one waits twice as long. */
  readonly retryMs: number;
  readonly tries: number;
}

export const PACE: Pace = { settleMs: 90_000, pollMs: 2_000, retryMs: 1_000, tries: 4 };

interface Step {
  readonly step: PowerStep;
  readonly driver: Driver;
  readonly pace: Pace;
  /** For errors. */
  readonly machine: string;
  readonly address: string;
  readonly image: string | undefined;
  /** Whether a controller that ended may have begun this step. */
  readonly isResumed: boolean;
  readonly signal: AbortSignal;
}

/**
 * One step of an action, from a look at how things are: what is so already is not ordered again.
 * @returns what the BMC says of the power, where the step looked.
 * @throws Problem of the driver; bmc_lied, power_unsure
 */
export async function carryOut(run: Step): Promise<PowerSeen | undefined> {
  const { step, driver, signal } = run;
  switch (step) {
    case 'look':
      return retrying(run, () => driver.status(signal));
    case 'on':
    case 'off':
      return reach(run, step);
    case 'reset':
      return reset(run);
    case 'override':
      await retrying(run, () => driver.bootFromNetworkOnce(signal));
      return undefined;
    case 'insert':
      await retrying(run, () => driver.insertMedia(run.image ?? '', signal));
      return undefined;
    case 'eject':
      await retrying(run, () => driver.ejectMedia(signal));
      return undefined;
    case 'boot':
      return undefined;
  }
}

async function reach(run: Step, wanted: 'on' | 'off'): Promise<PowerSeen> {
  const { driver, signal } = run;
  let seen: PowerSeen | undefined = await retrying(run, () => driver.status(signal));
  if (seen === wanted) return seen;
  await retrying(run, async () => {
    // Of an order whose answer was lost, the power tells whether it was taken.
    seen ??= await driver.status(signal);
    if (seen === wanted) return;
    seen = undefined;
    await driver.order(wanted, signal);
  });
  return settled(run, wanted);
}

/** The one order that cannot be told to have been done: it is given once, and nobody tries it again. */
async function reset(run: Step): Promise<PowerSeen> {
  const { driver, signal, machine } = run;
  if (run.isResumed) throw problem('power_unsure', { facts: { machine } });
  try {
    await driver.order('reset', signal);
  } catch (error) {
    throw isTransient(error) ? problem('power_unsure', { facts: { machine }, cause: error }) : error;
  }
  return settled(run, 'on');
}

/** @throws Problem bmc_lied where the power is not as wanted in time. */
async function settled(run: Step, wanted: 'on' | 'off'): Promise<PowerSeen> {
  const { driver, pace, signal, address, step } = run;
  const end = performance.now() + pace.settleMs;
  for (;;) {
    const seen = await retrying(run, () => driver.status(signal));
    if (seen === wanted || seen === 'unknown') return seen;
    if (performance.now() >= end)
      throw problem('bmc_lied', {
        facts: { address, what: `power ${step}`, seen: `the power is still ${seen}` },
      });
    await sleep(pace.pollMs, undefined, { signal });
  }
}

async function retrying<T>({ pace, signal }: Step, attempt: () => Promise<T>): Promise<T> {
  for (let tried = 1; ; tried++) {
    try {
      return await attempt();
    } catch (error) {
      signal.throwIfAborted();
      if (tried >= pace.tries || !isTransient(error)) throw error;
      await sleep(pace.retryMs * 2 ** (tried - 1), undefined, { signal });
    }
  }
}
