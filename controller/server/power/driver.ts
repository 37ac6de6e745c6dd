import type { PowerSeen } from '@bootswarm/controller/contract';
import { Problem } from '@bootswarm/images/format';

/**
 * One machine's BMC, for the length of one action. All but `reset` may be called again without harm. Every method
 * throws the problems bmc_silent, bmc_busy, bmc_refused, bmc_garbage, bmc_unable and others of the catalogue, and
 * ends soon after `signal` does.
 */
export interface Driver extends AsyncDisposable {
  status(signal: AbortSignal): Promise<PowerSeen>;
  /** Resolves once the BMC has taken the order, which need not have happened by then. */
  order(order: PowerCommand, signal: AbortSignal): Promise<void>;
  /** At the next start, and at no other. */
  bootFromNetworkOnce(signal: AbortSignal): Promise<void>;
  /** Shows the machine an image as a CD that the BMC fetches. */
  insertMedia(image: string, signal: AbortSignal): Promise<void>;
  ejectMedia(signal: AbortSignal): Promise<void>;
}

/** `off` is at once, without asking the system that runs. */
export type PowerCommand = 'on' | 'off' | 'reset';

/** Whether it may go better in a moment. */
export function isTransient(error: unknown): boolean {
  return error instanceof Problem && (error.code === 'bmc_silent' || error.code === 'bmc_busy');
}
