import type { Lease } from './lease.ts';
import { originsOf, type Situation } from './situation.ts';

/** How often something came within the present second. */
export interface RateView {
  /** Counts one more, and tells whether that is more than `most` within the second. */
  exceeds(key: string, most: number, nowMs: number): boolean;
}

export interface Excess {
  readonly reason: string;
  /** The relay or switch port that a flood comes from; undefined where one MAC is to blame. */
  readonly origin?: string;
}

/**
 * Why a message is one too many, or undefined. Who has a lease or a reservation is held to the rate of its own MAC
 * alone: a flood of strangers behind the same relay must not keep it out.
 */
export function rateExceeded(
  { client, served, terms, nowMs }: Situation,
  held: Lease | undefined,
  rates: RateView,
): Excess | undefined {
  const { name } = served.segment;
  const { perMac, perPort, perRelay } = served.segment.limits;
  if (rates.exceeds(`${name} mac ${client.mac}`, perMac, nowMs))
    return { reason: `more than ${perMac} messages a second of one MAC` };
  const isKnown = terms.reserved !== undefined || (held?.state === 'bound' && held.expiresAtMs > nowMs);
  if (isKnown || (perPort === undefined && perRelay === undefined)) return undefined;
  const { relay, port } = originsOf(client, name);
  if (perPort !== undefined && port && rates.exceeds(`${name} port ${port.name}`, perPort, nowMs))
    return {
      reason: `more than ${perPort} messages a second of strangers on switch port ${port.name}`,
      origin: port.name,
    };
  if (perRelay !== undefined && rates.exceeds(`${name} relay ${relay.name}`, perRelay, nowMs))
    return {
      reason: `more than ${perRelay} messages a second of strangers behind relay ${relay.name}`,
      origin: relay.name,
    };
  return undefined;
}
