import type { Rollout, RolloutMachine, RolloutStep, RolloutStory } from '@bootswarm/controller/contract';
import { isOver } from './board.ts';
import type { SiteView } from './planner/index.ts';

const HELD_MOST = 10;

type Counts = RolloutStory['counts'];

/** A rollout with where its machines are. Pure. */
export function storyOf(
  rollout: Rollout,
  machines: readonly RolloutMachine[],
  changes: number,
  lackOf: SiteView['lackOf'],
): RolloutStory {
  return {
    ...rollout,
    counts: countsOf(machines),
    waveCounts: rollout.waves.map((_, at) => countsOf(machines.filter(({ wave }) => wave === at))),
    changes,
    heldBy: isOver(rollout) ? [] : heldBy(rollout, machines, lackOf),
  };
}

function countsOf(machines: readonly RolloutMachine[]): Counts {
  const counts: Partial<Record<RolloutStep, number>> = {};
  for (const { step } of machines) counts[step] = (counts[step] ?? 0) + 1;
  return counts;
}

function heldBy(
  { wave, release }: Rollout,
  machines: readonly RolloutMachine[],
  lackOf: SiteView['lackOf'],
): RolloutStory['heldBy'] {
  const waiting = machines.filter((each) => each.wave === wave && each.step === 'waiting');
  const segments = new Set(waiting.flatMap(({ place }) => place.segment ?? []));
  return [...segments]
    .flatMap((segment) => {
      const reason = lackOf(release, segment);
      return reason === undefined ? [] : [{ segment, reason }];
    })
    .slice(0, HELD_MOST);
}
