import type { BootCause } from '@bootswarm/controller/contract';

/** How often a disk is written to for one epoch: a power cut may hit the first try, a loop must end. */
const TRIES_MOST = 2;
/** From the start of an edge: a system that came up meanwhile calls again before it counts as silent. */
const HEARING_MS = 60_000;

type WorkKind = 'install' | 'wipe';

/** A try of work that writes to disks, and what came of it. Durable: no epoch is done twice. */
export interface DiskWork {
  readonly epoch: number;
  readonly kind: WorkKind;
  /** Tries that are used up: 1 or 2. The others are about the last of them. */
  readonly attempts: number;
  /** With which it was begun, or given up before it began. */
  readonly ticket: string;
  readonly state: 'begun' | 'done' | 'failed';
  /** Of a failure: the agent's own name of it, or `broken_off`. */
  readonly cause?: string;
  /** For a person. */
  readonly detail: string;
  /** Milliseconds of Unix time, as the other times here: since when it stands so. */
  readonly atMs: number;
  /** To whom the work was given, for whoever tells of it later. */
  readonly whose: WorkWhose;
  /** Of an installation that is done. */
  readonly firstBoot?: FirstBootWait;
}

interface WorkWhose {
  readonly mac: string;
  readonly uuid?: string;
  readonly segment: string;
  readonly address: string;
}

interface FirstBootWait {
  readonly dueMs: number;
  /** A system that was missed may still come up. */
  readonly state: 'awaited' | 'heard' | 'missed';
}

/** What writes to disks, as the controller armed it. */
export interface ArmedWork {
  readonly epoch?: number | undefined;
  /** Highest epoch that is over, as far as the controller heard; and why it failed, where it did. */
  readonly spentEpoch?: number | undefined;
  readonly spentFailure?: string | undefined;
}

/** Where an armed intent stands. */
export type Standing =
  | { readonly kind: 'open'; readonly attempt: 1 | 2 }
  | { readonly kind: 'done'; readonly reason: string }
  | { readonly kind: 'failed'; readonly reason: string };

/** What is to be done next about an armed intent. Pure. */
export function standingOf(
  { epoch = 0, spentEpoch = 0, spentFailure }: ArmedWork,
  held: DiskWork | undefined,
): Standing {
  if (held && held.epoch > epoch)
    return {
      kind: 'done',
      reason: `this edge has gone on to epoch ${held.epoch} of this machine already`,
    };
  if (held?.epoch === epoch) {
    if (held.state === 'done') return { kind: 'done', reason: `epoch ${epoch} is done: ${held.detail}` };
    if (held.attempts >= TRIES_MOST) return { kind: 'failed', reason: failureText(held) };
  }
  // Another edge, or this one before it lost its disk.
  if (spentEpoch >= epoch)
    return spentEpoch === epoch && spentFailure !== undefined
      ? { kind: 'failed', reason: spentFailure }
      : { kind: 'done', reason: `epoch ${epoch} was used up at an edge` };
  return { kind: 'open', attempt: held?.epoch === epoch ? 2 : 1 };
}

function failureText({ state, cause, detail, attempts }: DiskWork): string {
  if (state === 'begun') return `broken_off: try ${attempts} was begun and never ended`;
  return `${cause ?? 'failed'}: ${detail}`;
}

/** What a ticket says once its signature holds. */
export interface TicketClaims {
  readonly machineId: string;
  readonly segment: string;
  readonly epoch: number;
  readonly attempt: number;
  readonly issuedAtMs: number;
}

/** For which machine a ticket is shown, where, and what is armed for it. */
export interface TicketPlace {
  readonly machineId: string;
  readonly segment: string;
  readonly armed: ArmedWork;
  readonly nowMs: number;
}

export type TicketObjection =
  | 'ticket_other_machine'
  | 'ticket_other_segment'
  | 'ticket_other_epoch'
  | 'ticket_spent'
  | 'ticket_expired';

/** "Bound to a machine, a segment, an epoch and a minute." */
const TICKET_MS = 60_000;

/** Why a try may not begin with a ticket; undefined where it may. Pure. */
export function objectionToBegin(
  claims: TicketClaims,
  place: TicketPlace,
  held: DiskWork | undefined,
): TicketObjection | undefined {
  const other = objectionToPlace(claims, place);
  if (other !== undefined) return other;
  const standing = standingOf(place.armed, held);
  if (standing.kind !== 'open' || standing.attempt !== claims.attempt) return 'ticket_spent';
  const ageMs = place.nowMs - claims.issuedAtMs;
  return ageMs >= 0 && ageMs < TICKET_MS ? undefined : 'ticket_expired';
}

function objectionToPlace(claims: TicketClaims, place: TicketPlace): TicketObjection | undefined {
  if (claims.machineId !== place.machineId) return 'ticket_other_machine';
  if (claims.segment !== place.segment) return 'ticket_other_segment';
  return claims.epoch === (place.armed.epoch ?? 0) ? undefined : 'ticket_other_epoch';
}

export type EndStep =
  | { readonly kind: 'refused'; readonly objection: TicketObjection }
  /** Told before: whoever did not hear the answer asks again. */
  | { readonly kind: 'known' }
  /** To be remembered. */
  | { readonly kind: 'ends'; readonly work: DiskWork };

export interface WorkOutcome {
  readonly outcome: 'done' | 'failed';
  readonly cause?: string | undefined;
  readonly detail: string;
}

/**
 * What comes of the word that a try is over. One that failed before it began uses its ticket up as well, whatever its
 * age: otherwise a machine that can't be installed would try for ever.
 */
export function endStep(
  shown: { readonly ticket: string; readonly claims: TicketClaims; readonly place: TicketPlace },
  { outcome, cause, detail }: WorkOutcome,
  held: DiskWork | undefined,
  fresh: Pick<DiskWork, 'kind' | 'whose'> & { readonly firstBootMs: number },
): EndStep {
  const { ticket, claims, place } = shown;
  const other = objectionToPlace(claims, place);
  if (other !== undefined) return { kind: 'refused', objection: other };
  const own = held?.epoch === claims.epoch && held.ticket === ticket ? held : undefined;
  if (own && own.state !== 'begun')
    return own.state === outcome ? { kind: 'known' } : { kind: 'refused', objection: 'ticket_spent' };
  if (!own) {
    const standing = standingOf(place.armed, held);
    const isNext = standing.kind === 'open' && standing.attempt === claims.attempt;
    if (!isNext || outcome === 'done') return { kind: 'refused', objection: 'ticket_spent' };
  }
  const { kind, whose, firstBootMs } = fresh;
  const { nowMs } = place;
  const isInstalled = outcome === 'done' && kind === 'install';
  return {
    kind: 'ends',
    work: {
      epoch: claims.epoch,
      kind,
      attempts: claims.attempt,
      ticket,
      state: outcome,
      ...(outcome === 'failed' ? { cause: cause ?? 'failed' } : {}),
      detail,
      atMs: nowMs,
      whose,
      ...(isInstalled ? { firstBoot: { dueMs: nowMs + firstBootMs, state: 'awaited' } } : {}),
    },
  };
}

/** What is remembered before the agent may write to a disk. */
export function begunWork(
  claims: TicketClaims,
  ticket: string,
  facts: Pick<DiskWork, 'kind' | 'detail' | 'atMs' | 'whose'>,
): DiskWork {
  return { ...facts, epoch: claims.epoch, attempts: claims.attempt, ticket, state: 'begun' };
}

/** What is remembered when a machine boots again that was being written to; undefined where it was not. */
export function brokenOff(
  { epoch = 0 }: ArmedWork,
  held: DiskWork | undefined,
  nowMs: number,
): DiskWork | undefined {
  if (held?.epoch !== epoch || held.state !== 'begun') return undefined;
  const detail = `try ${held.attempts} was broken off: the machine booted again before it was over`;
  return { ...held, state: 'failed', cause: 'broken_off', detail, atMs: nowMs };
}

/**
 * What is remembered when an installed system says that it is up; undefined where none is to: it said so before, or
 * its installation failed. One whose agent did not live to say that it was done is done now.
 */
export function firstBootOf(epoch: number, held: DiskWork | undefined, nowMs: number): DiskWork | undefined {
  if (held?.epoch !== epoch || held.kind !== 'install' || held.state === 'failed') return undefined;
  if (held.firstBoot?.state === 'heard') return undefined;
  const detail = 'the installed system is up';
  return { ...held, state: 'done', detail, atMs: nowMs, firstBoot: { dueMs: nowMs, state: 'heard' } };
}

/** What is remembered once an installed system did not come up in time; undefined as long as it may. */
export function missedFirstBoot(
  { epoch = 0 }: ArmedWork,
  held: DiskWork | undefined,
  { nowMs, upSinceMs }: { readonly nowMs: number; readonly upSinceMs: number },
): DiskWork | undefined {
  if (held?.epoch !== epoch || held.firstBoot?.state !== 'awaited') return undefined;
  if (nowMs < Math.max(held.firstBoot.dueMs, upSinceMs + HEARING_MS)) return undefined;
  return { ...held, firstBoot: { ...held.firstBoot, state: 'missed' } };
}

/** What the journal says of a failure of this kind. */
export function failureCause({ kind, cause }: Pick<DiskWork, 'kind' | 'cause'>): BootCause {
  if (cause === 'broken_off') return 'work_broken_off';
  return kind === 'install' ? 'install_failed' : 'wipe_failed';
}

/** Whether an epoch is over: nothing of it is tried again. */
export function isOver({ state, attempts }: Pick<DiskWork, 'state' | 'attempts'>): boolean {
  return state === 'done' || (state === 'failed' && attempts >= TRIES_MOST);
}
