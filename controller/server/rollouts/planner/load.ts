import type { RolloutLimits, RolloutPlace } from '@bootswarm/controller/contract';
import { isInFlight, type SiteView } from './view.ts';

interface Held {
  machines: number;
  /** The least of the limits of those who have machines in flight there. */
  least: number;
}

/**
 * What is in flight, by everything that limits count by. A rollout keeps the limits of the others wherever they have
 * machines in flight: so each limit holds at every moment, whoever set it.
 */
export class Load {
  readonly #held = new Map<string, Held>();
  readonly #edgesOf: SiteView['edgesOf'];

  constructor({ rollouts, edgesOf }: Pick<SiteView, 'rollouts' | 'edgesOf'>) {
    this.#edgesOf = edgesOf;
    for (const { rollout, machines } of rollouts)
      for (const record of machines)
        if (isInFlight(record)) this.add(rollout.order.name, rollout.order.limits, record.place);
  }

  /** Whether one more machine keeps every limit. */
  admits(rollout: string, limits: RolloutLimits, place: RolloutPlace): boolean {
    return this.#keysOf(rollout, limits, place).every(([key, limit]) => {
      const held = this.#held.get(key);
      return held === undefined || held.machines < Math.min(held.least, limit);
    });
  }

  /** Whether the rollout may have any machine more in flight, wherever it is. */
  isFull(rollout: string, { atOnce }: RolloutLimits): boolean {
    return (this.#held.get(`rollout ${rollout}`)?.machines ?? 0) >= atOnce;
  }

  add(rollout: string, limits: RolloutLimits, place: RolloutPlace): void {
    for (const [key, limit] of this.#keysOf(rollout, limits, place)) {
      const held = this.#held.get(key);
      if (held === undefined) this.#held.set(key, { machines: 1, least: limit });
      else {
        held.machines += 1;
        held.least = Math.min(held.least, limit);
      }
    }
  }

  /** A machine counts at every edge of its segment: which of a pair answers it first is not known beforehand. */
  #keysOf(
    rollout: string,
    { atOnce, perEdge, perSegment, perRack, perUplink }: RolloutLimits,
    { segment, rack, uplink }: RolloutPlace,
  ): (readonly [key: string, limit: number])[] {
    const keys: (readonly [string, number])[] = [[`rollout ${rollout}`, atOnce]];
    if (segment !== undefined) {
      keys.push([`segment ${segment}`, perSegment ?? Number.POSITIVE_INFINITY]);
      for (const edge of this.#edgesOf(segment))
        keys.push([`edge ${edge}`, perEdge ?? Number.POSITIVE_INFINITY]);
    }
    if (rack !== undefined) keys.push([`rack ${rack}`, perRack ?? Number.POSITIVE_INFINITY]);
    if (uplink !== undefined) keys.push([`uplink ${uplink}`, perUplink ?? Number.POSITIVE_INFINITY]);
    return keys;
  }
}
