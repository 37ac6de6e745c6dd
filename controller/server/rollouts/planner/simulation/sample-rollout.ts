import {
  type Intent,
  Rollout,
  type RolloutMachine,
  RolloutOrder,
  type RolloutPlace,
} from '@bootswarm/controller/contract';
import type { z } from 'zod';
import { wavesOf } from '../index.ts';

export interface SampleMachine {
  readonly machine: string;
  readonly place: RolloutPlace;
  readonly before?: Intent | undefined;
}

/** A rollout that has just started, with its machines. */
export function sampleRollout(
  order: Partial<z.input<typeof RolloutOrder>>,
  candidates: readonly SampleMachine[],
  startedAt = '2026-03-02T08:00:00.000Z',
): { readonly rollout: Rollout; readonly machines: readonly RolloutMachine[] } {
  const parsed = RolloutOrder.parse({
    name: 'r1',
    release: 'minimal/2.0/amd64',
    profile: 'web',
    match: 'class=web',
    ...order,
  });
  const { waves } = wavesOf(
    parsed,
    candidates.map((each) => ({ ...each, hasRelease: false, isInMaintenance: false })),
  );
  const rollout = Rollout.parse({
    order: parsed,
    release: parsed.release,
    releasesBefore: [],
    state: 'running',
    since: startedAt,
    startedAt,
    wave: 0,
    waves: waves.map(({ name, machines }) => ({
      name,
      size: machines.length,
      state: 'pending',
      since: startedAt,
    })),
    segments: [],
    skipped: 0,
    estimatedSeconds: 600,
    revision: 1,
  });
  const machines = waves.flatMap((wave, at) =>
    wave.machines.map(({ machine, place, before }) => ({
      machine,
      wave: at,
      place,
      ...(before === undefined ? {} : { before }),
      step: 'waiting' as const,
      since: startedAt,
    })),
  );
  return { rollout, machines };
}
