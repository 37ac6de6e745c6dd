import {
  ROLLOUT_CAUSES,
  ROLLOUT_STATES,
  type Rollout,
  type RolloutMachine,
  type RolloutPlan,
  type RolloutStory,
  skipText,
} from '@bootswarm/controller/contract';
import { factsText, tableText } from './output.ts';

/** Machine by machine: in which wave it comes, or why it is left out. */
export function planText(plan: RolloutPlan, bytesText: (bytes: number) => string): string {
  const { waves, skipped, estimate, withoutBefore, notReady } = plan;
  const rows = [
    ...waves.flatMap(({ name, machines }) => machines.map((machine) => [machine, name, ''])),
    ...skipped.map((each) => [each.machine, '-', skipText(each)]),
  ];
  const basis = estimate.basis === 'measured' ? 'as machines took before' : 'if each takes as long as it may';
  const facts = factsText({
    release: plan.release,
    machines: `${waves.reduce((sum, { machines }) => sum + machines.length, 0)} in ${waves.length} waves, ${skipped.length} left out`,
    time: `${durationText(estimate.seconds)}, ${basis}; windows and approvals come on top`,
    bytes: bytesText(estimate.bytes),
    'no way back':
      withoutBefore > 0 ? `${withoutBefore} machines: name a release by --rollback-to` : undefined,
    'not ready': notReady.map(({ segment, reason }) => `${segment}: ${reason}`).join('; ') || undefined,
  });
  return `${tableText(['MACHINE', 'WAVE', 'LEFT OUT BECAUSE'], rows)}\n\n${facts}`;
}

export function rolloutText(rollout: Rollout | RolloutStory): string {
  const { order, state, release, waves, wave, cause, detail, revision } = rollout;
  const facts = factsText({
    rollout: order.name,
    state: `${state} since ${rollout.since}: ${ROLLOUT_STATES[state].text}`,
    why: cause === undefined ? undefined : [ROLLOUT_CAUSES[cause].meaning, detail].filter(Boolean).join(' '),
    release: order.release === release ? release : `${release} (${order.release})`,
    machines: order.match,
    started: rollout.startedAt,
    'left out': rollout.skipped > 0 ? String(rollout.skipped) : undefined,
    revision: String(revision),
    'waits for': awaitedText(rollout),
  });
  const counts = 'waveCounts' in rollout ? rollout.waveCounts : [];
  const rows = waves.map((each, at) => [
    `${at === wave && state !== 'done' ? '> ' : '  '}${each.name}`,
    each.state,
    String(each.size),
    Object.entries(counts[at] ?? {})
      .map(([step, machines]) => `${machines} ${step}`)
      .join(', '),
  ]);
  return `${facts}\n\n${tableText(['  WAVE', 'STATE', 'MACHINES', 'STEPS'], rows)}`;
}

function awaitedText(rollout: Rollout | RolloutStory): string | undefined {
  const { order, waves, wave } = rollout;
  if (waves[wave]?.state === 'awaiting') return `approval: bootswarm rollout approve ${order.name}`;
  const held = 'heldBy' in rollout ? rollout.heldBy : [];
  return held.map(({ segment, reason }) => `${segment}: ${reason}`).join('; ') || undefined;
}

export function machinesText(machines: readonly RolloutMachine[]): string {
  return tableText(
    ['MACHINE', 'WAVE', 'STEP', 'SINCE', 'WHY'],
    machines.map(({ machine, wave, step, since, cause, detail }) => [
      machine,
      String(wave + 1),
      step,
      since,
      cause === undefined ? '' : `${cause}: ${detail ?? ROLLOUT_CAUSES[cause].meaning}`,
    ]),
  );
}

function durationText(seconds: number): string {
  const minutes = Math.ceil(seconds / 60);
  return minutes < 120 ? `${minutes} min` : `${Math.round(minutes / 6) / 10} h`;
}
