import { BOOT_CAUSES, type BootCause } from './boot-causes.ts';
import { type Expectation, type LastOf, lastBoot, progressOf } from './boot-progress.ts';
import type { BootStage, EdgeRecord } from './journal.ts';

/** A line of a machine's story. */
export interface TracedStage {
  readonly stage: BootStage;
  /** `overcome`: it had stopped there, and went on later. */
  readonly state: 'done' | 'overcome' | 'stopped' | 'waiting' | 'not reached';
  /** When, at which edge, with which address and in which segment; left out where nothing was heard. */
  readonly at?: string;
  readonly edge?: string;
  readonly segment?: string;
  readonly address?: string;
  readonly cause?: BootCause;
  readonly times?: number;
  /** For a person. */
  readonly detail: string;
}

interface Verdict {
  readonly stoppedAt: BootStage;
  readonly cause: BootCause;
  readonly meaning: string;
  readonly remedy: string;
  /** The record, or the silence, that it rests on. */
  readonly evidence: string;
}

/** The story of a machine's last boot. */
export interface BootTrace {
  /** `booted`: it got all that it was to get here; that may be an address alone, or its local disk. */
  readonly outcome: 'booted' | 'under way' | 'stopped';
  readonly stages: readonly TracedStage[];
  /** Of a boot that stopped. */
  readonly verdict?: Verdict;
}

const LOADING: readonly BootStage[] = ['script', 'kernel', 'initramfs'];
const WORK_STAGES: ReadonlySet<BootStage> = new Set(['install', 'wipe', 'first-boot']);
const LAST_STAGES: Readonly<Record<LastOf, BootStage>> = {
  root_not_fetched: 'root',
  agent_unheard: 'agent',
  answers_not_fetched: 'answers',
};

/**
 * How the last boot of a machine went, and where and why it stopped. Pure.
 * @param records of one machine, from whichever edges, in any order.
 * @param now ISO 8601: silence is told from patience by it.
 */
export function traceBoot(records: readonly EdgeRecord[], now: string): BootTrace {
  const boot = lastBoot(records);
  const { stoppedBy, expects, ended, lastOf } = progressOf(boot);
  const last = LAST_STAGES[lastOf];
  const lines = boot.map((record) => lineOf(record, record === stoppedBy));
  if (stoppedBy?.cause !== undefined)
    return {
      outcome: 'stopped',
      stages: [...lines, ...notReached(stoppedBy.stage, last)],
      verdict: verdictOf(stoppedBy.stage, stoppedBy.cause, evidenceOf(stoppedBy)),
    };
  if (boot.length === 0) {
    const unheard: TracedStage = { stage: 'discover', state: 'stopped', detail: 'nothing was heard of it' };
    return {
      outcome: 'stopped',
      stages: [unheard],
      verdict: verdictOf('discover', 'dhcp_unheard', 'no record of it at any edge'),
    };
  }
  if (expects === undefined) return { outcome: ended ? 'booted' : 'under way', stages: lines };
  return withExpected(lines, expects, last, Date.parse(now));
}

/** What was to come and did not: late, or still within its time. */
function withExpected(
  lines: readonly TracedStage[],
  expects: Expectation,
  last: BootStage,
  nowMs: number,
): BootTrace {
  const { stage, cause, after, sinceMs, withinSeconds } = expects;
  const seconds = Math.max(0, Math.round((nowMs - sinceMs) / 1000));
  const isLate = seconds > withinSeconds;
  const silence: TracedStage = {
    stage,
    state: isLate ? 'stopped' : 'waiting',
    ...(isLate ? { cause } : {}),
    detail: `nothing for ${seconds} s`,
  };
  const stages = [...lines, silence, ...notReached(stage, last)];
  if (!isLate) return { outcome: 'under way', stages };
  const evidence = `${evidenceOf(after)}, and no ${stage} for ${seconds} s`;
  return { outcome: 'stopped', stages, verdict: verdictOf(stage, cause, evidence) };
}

function lineOf(record: EdgeRecord, isStop: boolean): TracedStage {
  const { stage, at, edge, segment, address, cause, times, detail } = record;
  const state = isStop ? 'stopped' : cause === undefined ? 'done' : 'overcome';
  return {
    stage,
    state,
    at,
    edge,
    ...(segment === undefined ? {} : { segment }),
    ...(address === undefined ? {} : { address }),
    ...(cause === undefined ? {} : { cause }),
    ...(times === undefined ? {} : { times }),
    detail,
  };
}

/** @param last the stage that ends the boot. */
function notReached(stage: BootStage, last: BootStage): readonly TracedStage[] {
  // Behind all that is loaded there is nothing more to reach.
  if (WORK_STAGES.has(stage)) return [];
  const stages = [...LOADING, last];
  const rest = stages.slice(stages.indexOf(stage) + 1);
  return rest.map((each) => ({ stage: each, state: 'not reached', detail: '' }));
}

function verdictOf(stoppedAt: BootStage, cause: BootCause, evidence: string): Verdict {
  return { stoppedAt, cause, ...BOOT_CAUSES[cause], evidence };
}

function evidenceOf({ at, edge, stage, detail, times }: EdgeRecord): string {
  const often = times === undefined ? '' : ` (${times} times more)`;
  return `${at} ${edge}: ${stage}, ${detail}${often}`;
}
