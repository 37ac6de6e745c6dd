import { z } from 'zod';

/**
 * What an operator asks of a machine's power. `off` is at once, without asking the system that runs; `pxe` is a fresh
 * start that boots from the network once.
 */
export const PowerAction = z.enum(['status', 'on', 'off', 'cycle', 'reset', 'pxe', 'insert', 'eject']);
export type PowerAction = z.infer<typeof PowerAction>;

/** One thing that is asked of a BMC. All but `reset` may be asked again without harm. */
export const PowerStep = z.enum(['look', 'off', 'on', 'reset', 'override', 'insert', 'eject', 'boot']);
export type PowerStep = z.infer<typeof PowerStep>;

/**
 * An action as steps of which each can be told to be done by looking: a cycle is `off` and then `on`, because a
 * controller that was killed cannot tell whether a BMC got the one command that does both.
 */
export const POWER_STEPS: Readonly<Record<PowerAction, readonly PowerStep[]>> = {
  status: ['look'],
  on: ['on'],
  off: ['off'],
  cycle: ['off', 'on'],
  // On a machine that is off there is nothing to reset.
  reset: ['look', 'reset'],
  // Off first: some BMCs forget the override when the power goes, and all 60 s after it was set (IPMI 2.0, 28.12).
  pxe: ['off', 'override', 'on', 'boot'],
  insert: ['insert'],
  eject: ['eject'],
};
