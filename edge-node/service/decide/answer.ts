import type { JournalRecord, Segment } from '@bootswarm/controller/contract';
import { type DhcpPacket, decode, encode, maxReplyBytes } from '@bootswarm/edge-node/dhcp4';
import { type Decision, type Destination, decideDhcp } from './dhcp.ts';
import { type Client, identifyClient, identifySegment } from './identify.ts';
import type { Lease, LeaseView } from './lease.ts';

const ETHERNET_HTYPE = 1;

/** What an edge knows when a datagram comes in. */
export interface Surroundings {
  readonly segments: readonly Segment[];
  readonly leases: LeaseView;
  /** Of the interface that heard it. */
  readonly serverAddress: string;
  readonly httpUrl: string;
  readonly nowMs: number;
}

/** What comes of a datagram. */
export interface Answer {
  /** For the counters: what was done, or why nothing was. */
  readonly count: string;
  /** What was decided of whom, and why. */
  readonly told?: { readonly mac: string; readonly segment: string; readonly reason: string };
  readonly reply?: { readonly bytes: Uint8Array; readonly to: Destination };
  /** To be remembered; unless it is an offer, the reply must wait until it is durable. */
  readonly lease?: Lease;
  /** Boots are journaled; what an installed system renews is not. */
  readonly journal?: Omit<JournalRecord, 'seq'>;
}

/** A packet's journey but for the I/O: decode, identify, decide, encode. Pure. */
export function answerDatagram(bytes: Uint8Array, surroundings: Surroundings): Answer {
  const decoded = decode(bytes);
  if (!decoded.ok) return { count: `dhcp malformed: ${decoded.reason}` };
  const { packet } = decoded;
  if (packet.op !== 'request') return { count: 'dhcp passed over: not a request' };
  // Leases, journal and controller know a machine by its Ethernet address (InfiniBand sends none).
  if (packet.htype !== ETHERNET_HTYPE) return { count: 'dhcp passed over: not Ethernet' };

  const client = identifyClient(packet);
  const segment = identifySegment(packet, surroundings.segments, surroundings.serverAddress);
  if (!segment) return { count: 'dhcp passed over: no segment' };
  const decision = decideDhcp({ ...surroundings, packet, client, segment });
  const count = `dhcp ${decision.kind}`;
  const told = { mac: client.mac, segment: segment.name, reason: decision.reason };
  const lease = decision.lease ? { lease: decision.lease } : {};
  if (decision.kind === 'silent') return { count, told, ...lease };

  const reply = encoded(decision.packet, packet);
  // What cannot be said must not be leased either.
  if (!reply) return { count: 'dhcp reply does not fit' };
  const journal = recordOf(decision, client, segment, surroundings.nowMs);
  return { count, told, ...lease, reply: { bytes: reply, to: decision.to }, ...(journal ? { journal } : {}) };
}

/** Undefined where the client echoes more options at us than a datagram of the length that it takes can hold. */
function encoded(reply: DhcpPacket, request: DhcpPacket): Uint8Array | undefined {
  try {
    return encode(reply, { maxBytes: maxReplyBytes(request.options) });
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

function recordOf(
  decision: Decision & { kind: 'reply' },
  { mac, uuid }: Client,
  segment: Segment,
  nowMs: number,
): Answer['journal'] {
  if (decision.bootFile === undefined) return undefined;
  return {
    at: new Date(nowMs).toISOString(),
    stage: decision.lease?.state === 'bound' ? 'lease' : 'offer',
    mac,
    ...(uuid === undefined ? {} : { uuid }),
    segment: segment.name,
    address: decision.packet.yiaddr,
    detail: decision.reason.slice(0, 500),
  };
}
