import { type Answer, answerDatagram, type Surroundings } from '../decide/answer.ts';
import type { LeaseTable } from '../state/lease-table.ts';
import type { Received, Sendable } from './datagram-batch.ts';

/** What a round tells those outside the thread. */
export interface RoundNews {
  readonly counts: readonly string[];
  /** Every decision with its reason, for the debug log. */
  readonly told: readonly NonNullable<Answer['told']>[];
  readonly journal: readonly NonNullable<Answer['journal']>[];
  readonly leases: readonly NonNullable<Answer['lease']>[];
  /** How long the disk took to keep the leases, in milliseconds. */
  readonly commitMs: number;
  /** Why they could not be kept: no reply that rested on them left. */
  readonly failure?: string;
}

export interface RoundPorts {
  readonly leases: LeaseTable;
  readonly send: (replies: readonly Sendable[]) => void;
}

/**
 * Answers all datagrams that came together: offers leave at once; what rests on a lease leaves when the leases
 * of the whole round are durable, which is one commit.
 */
export function playRound(
  datagrams: readonly Pick<Received, 'bytes'>[],
  surroundings: Omit<Surroundings, 'leases'>,
  { leases, send }: RoundPorts,
): RoundNews {
  const answers = datagrams.map(({ bytes }) => {
    const answer = answerDatagram(bytes, { ...surroundings, leases });
    if (answer.lease) leases.remember(answer.lease);
    return answer;
  });
  send(answers.filter((answer) => !restsOnLease(answer)).flatMap(sendableOf));
  const counts = answers.map(({ count }) => count);
  const told = answers.flatMap((answer) => answer.told ?? []);
  const startedAt = performance.now();
  try {
    leases.flush();
  } catch (error) {
    const failure = error instanceof Error ? error.message : String(error);
    return { counts, told, journal: [], leases: [], commitMs: performance.now() - startedAt, failure };
  }
  const commitMs = performance.now() - startedAt;
  send(answers.filter(restsOnLease).flatMap(sendableOf));
  return {
    counts,
    told,
    journal: answers.flatMap(({ journal }) => journal ?? []),
    leases: answers.filter(restsOnLease).flatMap(({ lease }) => lease ?? []),
    commitMs,
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
