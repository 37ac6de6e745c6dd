import type { JournalRecord } from '@bootswarm/controller/contract';
import { type Answer, answerDatagram, type Incoming, type Surroundings } from '../decide/answer.ts';
import type { Lease } from '../decide/lease.ts';
import { quarantined, quarantineText } from '../decide/quarantine.ts';
import type { Seen } from '../decide/seen.ts';
import type { Site } from '../decide/site.ts';
import type { AlarmGate } from '../state/alarm-gate.ts';
import type { LeaseTable } from '../state/lease-table.ts';
import type { RecentConversations } from '../state/recent-conversations.ts';
import type { Sendable } from './datagram-batch.ts';

/** What a round tells those outside the thread. */
export interface RoundNews {
  readonly counts: readonly string[];
  /** Every decision with its reason, for the debug log. */
  readonly told?: readonly NonNullable<Answer['told']>[];
  readonly journal: readonly Omit<JournalRecord, 'seq'>[];
  readonly leases: readonly Lease[];
  /** What TFTP and scripts are to know of machines. */
  readonly seen?: readonly Seen[];
  /** How long the disk took to keep the leases, in milliseconds. */
  readonly commitMs: number;
  /** Why they could not be kept: no reply that rested on them left. */
  readonly failure?: string;
  /** By how much the host's clock was set, and the ends of all leases with it. */
  readonly clockSetMs?: number;
}

export interface RoundPorts {
  readonly leases: LeaseTable;
  readonly conversations: RecentConversations;
  readonly alarms: AlarmGate;
  readonly send: (replies: readonly Sendable[]) => void;
  /** Asks whether somebody uses these addresses; nobody waits for the answer. */
  readonly ping: (addresses: readonly string[]) => void;
}

/**
 * Answers all datagrams that came together: offers leave at once; what rests on a lease leaves when the leases
 * of the whole round are durable, which is one commit.
 */
export function playRound(
  datagrams: readonly Incoming[],
  surroundings: Omit<Surroundings, 'leases' | 'conversations'>,
  { leases, conversations, alarms, send, ping }: RoundPorts,
): RoundNews {
  const answers = datagrams.map((datagram) => {
    const answer = answerDatagram(datagram, { ...surroundings, leases, conversations });
    if (answer.lease) leases.remember(answer.lease);
    if (answer.said) conversations.keep(answer.said);
    return answer;
  });
  send(answers.filter((answer) => !restsOnLease(answer)).flatMap(sendableOf));
  // Behind the offers, so that none waits; whoever uses such an address answers before its offer is taken.
  const probes = answers.flatMap(({ probe }) => probe ?? []);
  if (probes.length > 0) ping(probes);
  const counts = answers.map(({ count }) => count);
  const { commitMs, failure } = flushed(leases);
  const resting = answers.filter(restsOnLease);
  if (failure === undefined) send(resting.flatMap(sendableOf));
  return {
    counts,
    told: answers.flatMap(({ told }) => told ?? []),
    journal: [
      ...answers.flatMap((answer) => recordOf(answer, failure) ?? []),
      ...answers.flatMap(({ alarm }) => (alarm && alarms.opens(alarm, surroundings.nowMs) ? [alarm] : [])),
    ],
    leases: failure === undefined ? resting.flatMap(({ lease }) => lease ?? []) : [],
    seen: answers.flatMap(({ seen }) => seen ?? []),
    commitMs,
    ...(failure === undefined ? {} : { failure }),
  };
}

/** Takes back the offers of addresses that somebody answered from. */
export function playConflicts(
  addresses: readonly string[],
  site: Site,
  leases: LeaseTable,
  nowMs: number,
): RoundNews {
  const offered = addresses
    .flatMap((address) => leases.at(address) ?? [])
    // Once it is bound, it is the machine itself that answers.
    .filter(({ state, expiresAtMs }) => state === 'offered' && expiresAtMs > nowMs);
  const declined = offered.map((lease) => {
    const kept = quarantined(lease, site.segmentOf(lease.address), leases, nowMs);
    leases.remember(kept);
    return kept;
  });
  const { commitMs, failure } = flushed(leases);
  return {
    counts: declined.map(() => 'dhcp address conflict'),
    journal: declined.map((lease) => ({
      at: new Date(nowMs).toISOString(),
      stage: 'offer',
      mac: lease.mac,
      segment: lease.segment,
      address: lease.address,
      cause: 'address_conflict',
      detail: `somebody answers at ${lease.address}: ${quarantineText(lease, nowMs)}`,
    })),
    leases: failure === undefined ? declined : [],
    commitMs,
    ...(failure === undefined ? {} : { failure }),
  };
}

function flushed(leases: LeaseTable): Pick<RoundNews, 'commitMs' | 'failure'> {
  const startedAt = performance.now();
  try {
    leases.flush();
    return { commitMs: performance.now() - startedAt };
  } catch (error) {
    const failure = error instanceof Error ? error.message : String(error);
    return { commitMs: performance.now() - startedAt, failure };
  }
}

function recordOf(answer: Answer, failure: string | undefined): Answer['journal'] {
  if (!answer.journal || failure === undefined || !restsOnLease(answer)) return answer.journal;
  return {
    ...answer.journal,
    cause: 'lease_not_kept',
    detail: `the lease could not be kept: ${failure}`.slice(0, 500),
  };
}

function restsOnLease({ lease }: Answer): boolean {
  return lease !== undefined && lease.state !== 'offered';
}

function sendableOf({ reply }: Answer): Sendable[] {
  if (!reply) return [];
  const { address, port } = reply.to;
  return [{ bytes: reply.bytes, address: address === 'broadcast' ? '255.255.255.255' : address, port }];
}
