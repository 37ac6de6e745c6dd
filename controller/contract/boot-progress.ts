import type { BootCause } from './boot-causes.ts';
import type { BootStage, EdgeRecord } from './journal.ts';

/** What must come next, and what it means when it does not. */
export interface Expectation {
  readonly stage: BootStage;
  readonly cause: BootCause;
  /** The record that lets us expect it. */
  readonly after: EdgeRecord;
  /** Since when, in milliseconds of Unix time; asking again does not begin anew. */
  readonly sinceMs: number;
  readonly withinSeconds: number;
}

/** By what a boot ends that loads a kernel: a root, an agent, or the answers of an installer. */
export type LastOf = 'root_not_fetched' | 'agent_unheard' | 'answers_not_fetched';

/** Where a boot stands. */
export interface Progress {
  /** The record whose cause holds it up. */
  readonly stoppedBy?: EdgeRecord | undefined;
  readonly expects?: Expectation | undefined;
  /** Whether it got all that it was to get here. */
  readonly ended: boolean;
  /** Whether the script left it open what comes, as a menu does. */
  readonly isOpen: boolean;
  /** What it means when nothing comes after kernel and initramfs. */
  readonly lastOf: LastOf;
  /** What arrived whole since the last script. */
  readonly loaded: ReadonlySet<BootStage>;
  /** Since when each thing is waited for, until something arrives. */
  readonly waitingMs: ReadonlyMap<BootCause, number>;
}

/**
 * In seconds. A transfer is journaled when it ends, so that each of these leaves room for one: firmware of a
 * megabyte, a kernel of 15 MB, an initramfs of 100 MB, a root of some gigabytes on a busy network.
 */
const PATIENCE = {
  lease_not_taken: { stage: 'lease', withinSeconds: 10 },
  firmware_not_fetched: { stage: 'firmware', withinSeconds: 45 },
  firmware_silent: { stage: 'script', withinSeconds: 60 },
  script_not_fetched: { stage: 'script', withinSeconds: 30 },
  kernel_not_fetched: { stage: 'kernel', withinSeconds: 60 },
  kernel_broken_off: { stage: 'initramfs', withinSeconds: 300 },
  root_not_fetched: { stage: 'root', withinSeconds: 600 },
  // A server may take two minutes to find its disks, and its switch one to let frames pass.
  agent_unheard: { stage: 'agent', withinSeconds: 300 },
  answers_not_fetched: { stage: 'answers', withinSeconds: 600 },
  // Each step of the work is told when it begins: a slow disk takes an hour for one, a large one a day to overwrite.
  work_silent: { stage: 'install', withinSeconds: 24 * 3600 },
  // The edge itself says when it is too late; this is for an edge that does not live to say it.
  no_first_boot: { stage: 'first-boot', withinSeconds: 48 * 3600 },
} as const satisfies Partial<Record<BootCause, Pick<Expectation, 'stage' | 'withinSeconds'>>>;

/** After such a silence, DHCP of firmware is another boot. */
const LONG_GAP_MS = 10 * 60_000;
/** The script of a release asks DHCP again after some seconds where the link was lost (quirk 25). */
const RETRY_GAP_MS = 60_000;
/** Within this, a second edge that was not chosen says nothing of the boot. */
const SAME_EXCHANGE_MS = 10_000;

const LAST_OF: Readonly<Partial<Record<NonNullable<EdgeRecord['next']>, LastOf>>> = {
  kernel: 'root_not_fetched',
  agent: 'agent_unheard',
  installer: 'answers_not_fetched',
};

const BEGINNING: Progress = {
  ended: false,
  isOpen: false,
  lastOf: 'root_not_fetched',
  loaded: new Set(),
  waitingMs: new Map(),
};

/** The records of a machine's last boot, oldest first. */
export function lastBoot(records: readonly EdgeRecord[]): readonly EdgeRecord[] {
  const inOrder = records
    .filter(({ stage }) => stage !== 'alarm')
    .toSorted((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : a.seq - b.seq));
  let boot: EdgeRecord[] = [];
  for (const record of inOrder) {
    if (beginsAnew(record, boot)) boot = [];
    boot.push(record);
  }
  return boot;
}

/** Whether a record is the first of another boot than that of the records before it. */
function beginsAnew(record: EdgeRecord, before: readonly EdgeRecord[]): boolean {
  const last = before.at(-1);
  if (last === undefined || (record.stage !== 'discover' && record.stage !== 'offer')) return false;
  const gapMs = Date.parse(record.at) - Date.parse(last.at);
  const reached = (...stages: readonly BootStage[]): boolean =>
    before.some(({ stage, cause }) => cause === undefined && stages.includes(stage));
  // An installed or live system asks for addresses as long as it runs; its boot is over then.
  if (record.cause === undefined && (record.next ?? 'nothing') === 'nothing')
    return gapMs > LONG_GAP_MS && !before.some(isNetworkBoot);
  if (gapMs > LONG_GAP_MS) return true;
  if (record.cause !== undefined) return progressOf(before).ended;
  if (record.next === 'firmware') return reached('firmware', 'script', 'kernel', 'initramfs', 'root');
  return reached('kernel', 'initramfs', 'root') || (reached('script') && gapMs > RETRY_GAP_MS);
}

function isNetworkBoot({ stage, next, cause }: EdgeRecord): boolean {
  return cause !== undefined || next === 'firmware' || next === 'script' || !isDhcp(stage);
}

/** Where a boot stands after `records`, oldest first. */
export function progressOf(records: readonly EdgeRecord[]): Progress {
  return records.reduce(
    (progress, record, index) =>
      isBeside(record, progress, records.slice(0, index)) ? progress : after(progress, record),
    BEGINNING,
  );
}

/** What tells nothing of how far the machine is. */
function isBeside(record: EdgeRecord, { expects, ended }: Progress, before: readonly EdgeRecord[]): boolean {
  // iPXE, shim and GRUB look for files that need not be there: only the first file matters.
  const isNotGiven = record.cause === 'firmware_missing' || record.cause === 'file_refused';
  if (isNotGiven && record.stage === 'firmware') return expects?.stage !== 'firmware';
  // A system that runs may look for more than there is.
  if (record.cause === 'artefact_missing' && ended) return true;
  if (record.cause === 'other_server')
    return before.some(
      ({ stage, cause, at }) =>
        stage === 'lease' && cause === undefined && Date.parse(record.at) - Date.parse(at) < SAME_EXCHANGE_MS,
    );
  if (record.cause !== undefined) return false;
  // The agent's last words before the machine boots what was installed.
  if (record.stage === 'agent') return expects?.stage === 'first-boot';
  if (!isDhcp(record.stage)) return false;
  // A release, a decline, an address that another server leases; or a running system that renews, as one does that was
  // just installed, before it says that it is up.
  const mayRun = ended || expects?.stage === 'first-boot';
  return record.next === undefined || (mayRun && record.next === 'nothing');
}

function isDhcp(stage: BootStage): boolean {
  return stage === 'discover' || stage === 'offer' || stage === 'lease';
}

function after(progress: Progress, record: EdgeRecord): Progress {
  const { stage, next, cause, address } = record;
  if (cause !== undefined) return { ...progress, stoppedBy: record, expects: undefined, ended: false };
  switch (stage) {
    case 'offer':
      // A proxy offers no address: the boot goes on without another word to it.
      return address === undefined ? told(progress, record) : expecting(progress, record, 'lease_not_taken');
    case 'lease':
      return told(granted(progress), record);
    case 'firmware':
      // memtest86+, which a menu leads to, is the end.
      if (progress.isOpen && progress.ended) return progress;
      return progress.expects?.cause === 'script_not_fetched'
        ? expecting(arrived(progress), record, 'script_not_fetched')
        : expecting(arrived(progress), record, 'firmware_silent');
    case 'script': {
      // The end of its transfer by TFTP: what it says was journaled as it was written.
      if (next === undefined) return progress;
      const lastOf = LAST_OF[next];
      const fresh: Progress = {
        ...arrived(progress),
        loaded: new Set(),
        isOpen: lastOf === undefined,
        lastOf: lastOf ?? 'root_not_fetched',
      };
      return lastOf
        ? expecting(fresh, record, 'kernel_not_fetched')
        : { ...fresh, expects: undefined, stoppedBy: undefined, ended: next === 'nothing' };
    }
    case 'kernel':
    case 'initramfs':
      return loading(progress, record);
    case 'install':
    case 'wipe':
      return working(progress, record);
    case 'root':
    case 'agent':
    case 'answers':
    case 'tree':
    case 'installed':
    case 'first-boot':
      return { ...arrived(progress), expects: undefined, stoppedBy: undefined, ended: true };
    default:
      return progress;
  }
}

/** The agent began to write to disks, got on with it, or is done. */
function working(progress: Progress, record: EdgeRecord): Progress {
  const here = arrived(progress);
  if (record.spentEpoch === undefined) {
    const { expects, ...rest } = expecting(here, record, 'work_silent');
    return { ...rest, expects: expects && { ...expects, stage: record.stage } };
  }
  if (record.stage === 'install') return expecting({ ...here, loaded: new Set() }, record, 'no_first_boot');
  return { ...here, expects: undefined, stoppedBy: undefined, ended: true };
}

/** After an answer that says what to fetch. */
function told(progress: Progress, record: EdgeRecord): Progress {
  if (record.next === 'firmware') return expecting(progress, record, 'firmware_not_fetched');
  if (record.next === 'script') return expecting(progress, record, 'script_not_fetched');
  // The live system asks for an address of its own before it fetches its root.
  if (progress.loaded.size > 0) return expecting(progress, record, progress.lastOf);
  return { ...progress, expects: undefined, stoppedBy: undefined, ended: true };
}

function loading(progress: Progress, record: EdgeRecord): Progress {
  const here = { ...arrived(progress), loaded: new Set([...progress.loaded, record.stage]) };
  // What a menu leads to need not have an initramfs or a root.
  if (progress.isOpen) return { ...here, expects: undefined, stoppedBy: undefined, ended: true };
  if (!here.loaded.has('kernel')) return expecting(here, record, 'kernel_not_fetched');
  if (!here.loaded.has('initramfs')) return expecting(here, record, 'kernel_broken_off');
  return expecting(here, record, here.lastOf);
}

function expecting(progress: Progress, record: EdgeRecord, cause: keyof typeof PATIENCE): Progress {
  const sinceMs = progress.waitingMs.get(cause) ?? Date.parse(record.at);
  return {
    ...progress,
    stoppedBy: undefined,
    ended: false,
    expects: { ...PATIENCE[cause], cause, after: record, sinceMs },
    waitingMs: new Map([...progress.waitingMs, [cause, sinceMs]]),
  };
}

/** The offer was taken: the next one is waited for anew. */
function granted(progress: Progress): Progress {
  const waiting = [...progress.waitingMs].filter(([cause]) => cause !== 'lease_not_taken');
  return { ...progress, waitingMs: new Map(waiting) };
}

/** Something was fetched: whatever is waited for from now on is waited for anew. */
function arrived(progress: Progress): Progress {
  return { ...progress, waitingMs: new Map() };
}
