import {
  type AgentReport,
  type DesiredState,
  type ImageProfile,
  type Intent,
  matchMachine,
  type Segment,
  type WorkBegin,
  type WorkEnd,
} from '@bootswarm/controller/contract';
import type { Logger } from 'pino';
import type { Lease } from '../decide/lease.ts';
import type { TransferNews } from '../decide/transfer-news.ts';
import { workOrder } from '../decide/work-order.ts';
import {
  begunWork,
  type DiskWork,
  endStep,
  failureCause,
  firstBootOf,
  isOver,
  missedFirstBoot,
  objectionToBegin,
  standingOf,
  type TicketClaims,
  type TicketObjection,
  type TicketPlace,
} from '../decide/work-step.ts';
import type { Serving } from '../state/serving.ts';
import type { WorkLedger } from '../state/work-ledger.ts';
import { type Duty, dutyOf } from './duty.ts';
import { problem } from './problems.ts';
import type { Tickets } from './ticket.ts';

const WATCH_MS = 5_000;

export interface WorkDeskParts {
  readonly serving: Pick<Serving, 'state' | 'segmentOf' | 'lackOf'>;
  readonly ledger: Pick<WorkLedger, 'workOf' | 'note' | 'all'>;
  readonly tickets: Tickets;
  /** Told whose next order is another one. */
  readonly onChange: (mac: string) => void;
  readonly log: Pick<Logger, 'info' | 'error'>;
  /** Milliseconds of Unix time. */
  readonly clock?: () => number;
}

type Machine = DesiredState['machines'][number];
type WorkIntent = Extract<Intent, { kind: 'install' | 'wipe' }>;

/** A machine whose disks are to be written to, where it is now. */
interface Working {
  readonly machine: Machine;
  readonly intent: WorkIntent;
  readonly segment: Segment;
  readonly place: TicketPlace;
}

/** What agents do to disks: at most twice for each time that an operator says so, and never again once it is done. */
export class WorkDesk {
  readonly #parts: WorkDeskParts;
  readonly #clock: () => number;
  readonly #upSinceMs: number;

  constructor(parts: WorkDeskParts) {
    this.#parts = parts;
    this.#clock = parts.clock ?? Date.now;
    this.#upSinceMs = this.#clock();
  }

  /** What the holder of a lease is to do. @param httpUrl of this edge, as the machine reaches it. */
  dutyOf(lease: Lease, httpUrl: string): Duty {
    const { serving, ledger, tickets } = this.#parts;
    const duty = dutyOf(lease, serving.state?.machines ?? [], serving.segmentOf(lease.address));
    const working = this.#workingOf(lease);
    if (!working) return this.#liveDuty(duty);
    const { machine, intent, segment, place } = working;
    const { id, epoch = 0 } = machine;
    const standing = standingOf(machine, ledger.workOf(id));
    if (standing.kind === 'done') return { ...duty, intent: { kind: 'local' } };
    const attempt = standing.kind === 'open' ? standing.attempt : 1;
    const issuedAtMs = place.nowMs;
    const claims = { machineId: id, segment: segment.name, epoch, attempt, issuedAtMs };
    const work = workOrder(intent, standing, {
      machine,
      mac: lease.mac,
      address: lease.address,
      segment,
      ticket: tickets.workTicket(claims),
      httpUrl,
      firstBootUrl: `${httpUrl}/first-boot/${tickets.firstBootTicket(id, epoch)}`,
      profile: this.#profileOf(intent),
      lackOf: (release) => serving.lackOf(release),
    });
    return { ...duty, work };
  }

  /** Whether what a machine is to do once is not done yet, and not given up. */
  isOpen(machine: Machine): boolean {
    return standingOf(machine, this.#parts.ledger.workOf(machine.id)).kind === 'open';
  }

  /** An agent is to be told of a release only once it can have all of it. */
  #liveDuty(duty: Duty): Duty {
    const { intent } = duty;
    if (intent.kind !== 'live' || intent.by !== 'agent') return duty;
    const lack = this.#parts.serving.lackOf(intent.release);
    return lack === undefined ? duty : { ...duty, work: { notYet: lack.slice(0, 600) } };
  }

  /** How a report is to be journaled: progress of work as a stage of its own, and what failed for good by its cause. */
  newsOf(lease: Lease, { stage, progress }: AgentReport, detail: string): Telling {
    const working = this.#workingOf(lease);
    if (!working) return { stage: 'agent', news: { detail } };
    const { machine, intent } = working;
    const { id, epoch = 0 } = machine;
    const held = this.#parts.ledger.workOf(id);
    const own = held?.epoch === epoch ? held : undefined;
    const isGivenUp = standingOf(machine, held).kind === 'failed' && own?.state !== 'begun';
    if (isGivenUp || (stage === 'failed' && own?.state === 'failed')) {
      const cause = failureCause(own ?? { kind: intent.kind });
      return { stage: 'agent', news: { detail, cause } };
    }
    const isWork = stage === 'installing' || stage === 'wiping';
    if (!isWork || progress === undefined || (own && isOver(own)))
      return { stage: 'agent', news: { detail } };
    return { stage: intent.kind, news: { detail, ...(epoch > 0 ? { epoch } : {}) } };
  }

  /**
   * An agent is about to write to a disk. Once this resolves its ticket is used up for good.
   * @throws Problem ticket_forged, ticket_*, and what the disk of this edge says.
   */
  async begin(lease: Lease, { ticket, plan }: WorkBegin): Promise<void> {
    const { ledger, log, onChange } = this.#parts;
    const claims = this.#claimsOf(ticket);
    const { machine, intent, place } = this.#requireWorking(lease, claims);
    const objection = objectionToBegin(claims, place, ledger.workOf(machine.id));
    if (objection !== undefined) throw this.#refused(objection, lease, claims);
    const [first = ''] = plan.split('\n');
    const work = begunWork(claims, ticket, {
      kind: intent.kind,
      detail: `try ${claims.attempt} begins: ${first}`.slice(0, 500),
      atMs: place.nowMs,
      whose: whoseOf(lease, machine),
    });
    await ledger.note(machine.id, work);
    log.info({ mac: lease.mac, machine: machine.id, epoch: claims.epoch, plan }, 'work on disks begins');
    onChange(lease.mac);
  }

  /** How it ended. The same again is taken as well. @throws Problem as `begin`. */
  async end(lease: Lease, { ticket, ...outcome }: WorkEnd): Promise<void> {
    const { ledger, log, onChange } = this.#parts;
    const claims = this.#claimsOf(ticket);
    const { machine, intent, place } = this.#requireWorking(lease, claims);
    const step = endStep({ ticket, claims, place }, outcome, ledger.workOf(machine.id), {
      kind: intent.kind,
      whose: whoseOf(lease, machine),
      firstBootMs: (this.#profileOf(intent)?.firstBootMinutes ?? 0) * 60_000,
    });
    if (step.kind === 'refused') throw this.#refused(step.objection, lease, claims);
    if (step.kind === 'known') return;
    await ledger.note(machine.id, step.work);
    log.info({ mac: lease.mac, machine: machine.id, epoch: claims.epoch, ...outcome }, 'work on disks ended');
    onChange(lease.mac);
  }

  /** An installed system says that it is up: once. @throws Problem first_boot_forged, first_boot_gone */
  async firstBoot(ticket: string): Promise<void> {
    const { ledger, log, tickets } = this.#parts;
    const named = tickets.readFirstBootTicket(ticket);
    if (!named) throw problem('first_boot_forged');
    const { machineId, epoch } = named;
    const work = firstBootOf(epoch, ledger.workOf(machineId), this.#clock());
    if (!work) throw problem('first_boot_gone', { facts: { machine: machineId, epoch } });
    await ledger.note(machineId, work);
    log.info({ mac: work.whose.mac, machine: machineId, epoch }, 'an installed system is up');
  }

  /** Journals each installed system that did not come up in time, once. */
  async lookForSilence(): Promise<void> {
    const { ledger, serving, log } = this.#parts;
    const machines = new Map((serving.state?.machines ?? []).map((machine) => [machine.id, machine]));
    for (const [id, held] of [...ledger.all()]) {
      const machine = held.firstBoot?.state === 'awaited' ? machines.get(id) : undefined;
      if (!machine) continue;
      const times = { nowMs: this.#clock(), upSinceMs: this.#upSinceMs };
      const missed = missedFirstBoot(machine, held, times);
      if (!missed) continue;
      await ledger.note(id, missed).catch((error: unknown) => log.error({ err: error }, 'not kept'));
    }
  }

  /** @returns what ends the watch. */
  watch(): () => void {
    const timer = setInterval(() => void this.lookForSilence(), WATCH_MS).unref();
    return () => clearInterval(timer);
  }

  #workingOf(lease: Lease): Working | undefined {
    const { serving } = this.#parts;
    const machine = matchMachine(serving.state?.machines ?? [], { mac: lease.mac, uuid: lease.uuid });
    const segment = serving.segmentOf(lease.address);
    if (!machine || !segment) return undefined;
    const { intent } = machine;
    if (intent.kind !== 'install' && intent.kind !== 'wipe') return undefined;
    const place = { machineId: machine.id, segment: segment.name, armed: machine, nowMs: this.#clock() };
    return { machine, intent, segment, place };
  }

  #requireWorking(lease: Lease, claims: TicketClaims): Working {
    const working = this.#workingOf(lease);
    if (working) return working;
    // Whatever it once was for: this machine is not to be written to.
    const { serving } = this.#parts;
    const machine = matchMachine(serving.state?.machines ?? [], { mac: lease.mac, uuid: lease.uuid });
    const isOwn = machine?.id === claims.machineId;
    throw this.#refused(isOwn ? 'ticket_other_epoch' : 'ticket_other_machine', lease, claims);
  }

  #claimsOf(ticket: string): TicketClaims {
    const claims = this.#parts.tickets.readWorkTicket(ticket);
    if (!claims) throw problem('ticket_forged');
    return claims;
  }

  #profileOf(intent: WorkIntent): ImageProfile | undefined {
    if (intent.kind !== 'install') return undefined;
    const profile = this.#parts.serving.state?.profiles?.find(({ name }) => name === intent.profile);
    return profile?.kind === 'image' ? profile : undefined;
  }

  #refused(objection: TicketObjection, { mac, address }: Lease, claims: TicketClaims): Error {
    this.#parts.log.info({ mac, address, claims, objection }, 'work on disks refused');
    const { machineId: machine, segment, epoch, attempt } = claims;
    return problem(objection, { facts: { mac, machine, segment, epoch, attempt } });
  }
}

interface Telling {
  readonly stage: 'agent' | 'install' | 'wipe';
  readonly news: TransferNews;
}

function whoseOf({ mac, address, segment }: Lease, { uuid }: Machine): DiskWork['whose'] {
  return { mac, ...(uuid === undefined ? {} : { uuid }), segment, address };
}
