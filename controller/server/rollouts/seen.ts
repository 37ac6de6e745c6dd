import type { EdgeRecord, Machine, RolloutMachine } from '@bootswarm/controller/contract';
import type { Seen } from './planner/index.ts';

/**
 * What was told of a machine under the intent that its rollout set. What edges tell of another epoch is not believed.
 * Pure.
 * @param records since that intent was set, in the order in which they arrived; for live alone, which has no epoch in
 * its records.
 */
export function seenOf(
  machine: Machine | undefined,
  { epoch }: Pick<RolloutMachine, 'epoch'>,
  records: readonly EdgeRecord[],
): Seen {
  if (machine === undefined) return { kind: 'gone' };
  if (epoch === undefined) return { kind: 'nothing' };
  if (machine.epoch !== epoch) return { kind: 'superseded' };
  switch (machine.intent?.kind) {
    case 'install':
      return ofInstall(machine, epoch);
    case 'installer':
      return ofInstaller(machine, epoch, records);
    case 'live':
      return ofLive(machine.intent.by === 'agent', records);
    default:
      return { kind: 'nothing' };
  }
}

function ofInstall({ work, spent }: Machine, epoch: number): Seen {
  if (work?.epoch === epoch) {
    if (work.state === 'active') return { kind: 'up' };
    if (work.state === 'failed' && work.isOver) return failed(work);
    return { kind: 'begun' };
  }
  if (spent?.epoch === epoch && spent.cause !== undefined) return failed(spent);
  return { kind: 'nothing' };
}

/** A distribution's installer says that it is through, and nothing after that. */
function ofInstaller({ spent }: Machine, epoch: number, records: readonly EdgeRecord[]): Seen {
  if (spent?.epoch === epoch) return spent.cause === undefined ? { kind: 'up' } : failed(spent);
  return records.some(isOfBoot) ? { kind: 'begun' } : { kind: 'nothing' };
}

/** The last thing that an edge sees of a live boot: the root is fetched, or the agent gives the machine to it. */
function ofLive(byAgent: boolean, records: readonly EdgeRecord[]): Seen {
  const from = records.findIndex(isOfBoot);
  if (from < 0) return { kind: 'nothing' };
  const isUp = records
    .slice(from)
    .some(({ stage, cause, detail }) =>
      cause !== undefined
        ? false
        : byAgent
          ? stage === 'agent' && /takes over/.test(detail)
          : stage === 'root',
    );
  return { kind: isUp ? 'up' : 'begun' };
}

/** The edge answered a machine that booted with what the rollout wants. */
function isOfBoot({ stage, cause }: EdgeRecord): boolean {
  return stage === 'script' && cause === undefined;
}

function failed({ cause, detail }: { readonly cause?: string | undefined; readonly detail: string }): Seen {
  return { kind: 'failed', detail: [cause, detail].filter(Boolean).join(': ') };
}
