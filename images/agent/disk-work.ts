import { setTimeout as sleep } from 'node:timers/promises';
import type {
  AgentOrder,
  AgentStage,
  InstallOrder,
  WorkEnd,
  WorkProgress,
} from '@bootswarm/controller/contract';
import { Problem } from '@bootswarm/images/format';
import { EdgeError } from './edge-client.ts';
import { Progress } from './install/progress.ts';
import { failureOf } from './work-failure.ts';

/** From the start of a report to that of the next: timers are late, and a second is promised. */
const REPORT_MS = 900;
/** Of answers to the end that say that the edge does not know the machine: with the pauses some eight minutes. */
const UNKNOWN_MOST = 15;
const DETAIL_MOST = 500;
const PLAN_MOST = 20_000;

/** What of an order is the same for all work on disks. */
type WorkTerms = Pick<InstallOrder, 'epoch' | 'attempt' | 'ticket'>;

/** Work that writes to disks: once for each time that it is ordered. */
export interface DiskWork {
  readonly terms: WorkTerms;
  /** The terms of the same kind of work in another answer of the edge; undefined where it is not wanted any more. */
  readonly termsIn: (order: AgentOrder) => WorkTerms | undefined;
  readonly stages: { readonly doing: AgentStage; readonly done: AgentStage };
  /** `installing minimal/1/amd64`. */
  readonly what: string;
  /** Does it. @returns what was done. @throws why it failed. */
  readonly act: (begun: Begun) => Promise<string>;
}

/** What work needs of the agent while it is done. */
export interface Begun {
  /** To be called right before anything is written. @param plan what will be, for a person. @throws the edge's refusal. */
  readonly begin: (plan: string) => Promise<void>;
  readonly progress: Progress;
}

export interface DiskWorkParts {
  /** @throws EdgeError; `status` is that of an answer that refuses. */
  readonly edge: {
    begin(ticket: string, plan: string): Promise<void>;
    end(end: WorkEnd): Promise<void>;
    order(after: string | undefined): Promise<AgentOrder>;
  };
  /** Tells the edge, until it has heard it, what the agent is at. */
  readonly become: (stage: AgentStage, detail: string) => Promise<void>;
  /** Reports once what the agent is at with how far it is; never throws. */
  readonly report: (progress: WorkProgress | undefined) => Promise<void>;
  /** Tries until it succeeds, or is refused for good; undefined where the signal ended it. @throws the refusal. */
  readonly persist: <Result>(what: string, act: () => Promise<Result>) => Promise<Result | undefined>;
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
}

/**
 * Does work as ordered, and tells the edge how it ended. While it runs, the edge is told at least once a second how far
 * it is.
 * @returns whether it was done.
 */
export async function doDiskWork(work: DiskWork, parts: DiskWorkParts): Promise<boolean> {
  const { become, say, persist, edge, signal } = parts;
  const { terms, stages, what } = work;
  const progress = new Progress(say, () => performance.now());
  let { ticket } = terms;
  // A ticket is good for a minute, and looking at the disks and hooks may have taken longer.
  const begin = async (plan: string): Promise<void> => {
    const fresh = await persist('asking for a ticket', () => edge.order(undefined));
    signal.throwIfAborted();
    const again = fresh && work.termsIn(fresh);
    if (again?.epoch !== terms.epoch || again.attempt !== terms.attempt) throw withdrawn();
    ({ ticket } = again);
    await persist('beginning', () => edge.begin(ticket, plan.slice(0, PLAN_MOST)));
    signal.throwIfAborted();
  };
  await become(stages.doing, `${what}, try ${terms.attempt}`);
  const reporting = reportWhile(progress, parts);
  let done: string;
  try {
    done = await work.act({ begin, progress });
  } catch (error) {
    await reporting.end();
    signal.throwIfAborted();
    await fail(work, ticket, error as Error, parts);
    return false;
  }
  await reporting.end();
  const detail = `${done}: ${progress.text}`.slice(0, DETAIL_MOST);
  try {
    await tellEnd({ ticket, outcome: 'done', detail }, parts);
  } catch (refusal) {
    // Not told as a failure: what was done is whole, and another try would begin with erasing it.
    const { code, message } = failureOf(refusal as Error);
    say(`${done}, and the edge does not take the word of it: ${message}`);
    await become('failed', `${done}, and the edge does not take the word of it (${code}): ${message}`);
    return false;
  }
  await become(stages.done, done);
  return true;
}

/** An edge that has lost its leases knows nobody until DHCP was asked again: that is no refusal at once. */
async function tellEnd(end: WorkEnd, { persist, edge }: DiskWorkParts): Promise<void> {
  let unknown = 0;
  await persist('reporting the end', async () => {
    try {
      await edge.end(end);
    } catch (error) {
      unknown += 1;
      if (!(error instanceof EdgeError) || !error.isUnknown || unknown === UNKNOWN_MOST) throw error;
      throw new Error(error.message, { cause: error });
    }
  });
}

function withdrawn(): Problem {
  return new Problem(
    {
      code: 'order_withdrawn',
      message: 'the edge does not want this any more',
      remedy: "Nothing was written. Arm the intent anew: 'bootswarm machine boot'.",
    },
    409,
  );
}

async function fail({ what }: DiskWork, ticket: string, error: Error, parts: DiskWorkParts): Promise<void> {
  const { become, say } = parts;
  const { code: cause, message, remedy } = failureOf(error);
  say(`FAILED: ${what} (${cause}): ${message}`);
  if (cause === 'agent_failed') say(error.stack ?? '');
  say(remedy);
  const detail = message.slice(0, DETAIL_MOST);
  await tellEnd({ ticket, outcome: 'failed', cause, detail }, parts).catch((refusal: Error) =>
    say(`the edge does not take the end of it: ${refusal.message}`),
  );
  await become('failed', `${what} failed (${cause}): ${message}`);
}

interface ReportingParts extends Pick<DiskWorkParts, 'report' | 'signal'> {
  /** Milliseconds, of any beginning. */
  readonly now?: () => number;
  /** Resolves early where the signal ends it. */
  readonly wait?: (ms: number, signal: AbortSignal) => Promise<void>;
}

/** Reports at least once a second until it is ended, but not before the last was answered: then at once. */
export function reportWhile(
  progress: Progress,
  { report, signal, now = () => performance.now(), wait = waitMs }: ReportingParts,
): { end(): Promise<void> } {
  const ended = new AbortController();
  const until = AbortSignal.any([ended.signal, signal]);
  const reporting = (async () => {
    while (!until.aborted) {
      const dueMs = now() + REPORT_MS;
      await report(progress.now);
      await wait(Math.max(0, dueMs - now()), until);
    }
  })();
  return {
    end: async () => {
      ended.abort();
      await reporting;
    },
  };
}

function waitMs(ms: number, signal: AbortSignal): Promise<void> {
  return sleep(ms, undefined, { signal }).catch(() => {});
}
