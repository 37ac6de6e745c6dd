import type { BootCause, JournalRecord } from '@bootswarm/controller/contract';
import { type DhcpPacket, decode, isBootp } from '@bootswarm/edge-node/dhcp4';
import { decideBootp } from './bootp.ts';
import { type Client, type Conversations, identifyClient, type Said, withWhatItSaid } from './client.ts';
import { decideDhcp } from './dhcp.ts';
import { identifySegment, relayIn } from './identify.ts';
import type { Lease, LeaseView } from './lease.ts';
import { decideBootServer, decideProxy } from './proxy.ts';
import { type RateView, rateExceeded } from './rates.ts';
import { encodeReply } from './reply.ts';
import { ROGUE_PROBE_CLASS, strangersOf } from './rogue.ts';
import { type Seen, seenIn } from './seen.ts';
import type { ServedSegment, Site } from './site.ts';
import { type Decision, type Destination, type Situation, silent } from './situation.ts';
import { termsOf } from './terms.ts';

const ETHERNET_HTYPE = 1;
const DETAIL_CHARACTERS_MOST = 500;
/** How many messages a second are journaled that nobody answers: from no segment of ours, and of each segment. */
const LOST_PER_SECOND = 20;
const UNANSWERED_PER_SECOND = 200;

/** What an edge knows when a datagram comes in. */
export interface Surroundings {
  readonly site: Site;
  readonly leases: LeaseView;
  readonly rates: RateView;
  readonly conversations: Conversations;
  /** Of the interface that heard it. */
  readonly serverAddress: string;
  readonly httpUrl: string;
  readonly hasFile: (name: string) => boolean;
  /** Which port heard it: 67, or 4011 as a boot server. */
  readonly service: 'dhcp' | 'boot-server';
  readonly nowMs: number;
}

/** A datagram and where it came from. */
export interface Incoming {
  readonly bytes: Uint8Array;
  readonly address: string;
  readonly port: number;
}

/** What comes of a datagram. */
export interface Answer {
  /** For the counters: what was done, or why nothing was. */
  readonly count: string;
  readonly reply?: { readonly bytes: Uint8Array; readonly to: Destination };
  /** To be remembered; unless it is an offer, the reply must wait until it is durable. */
  readonly lease?: Lease;
  /** To be recalled when the machine takes the offer. */
  readonly said?: Said;
  /** What was decided of whom, and why: for the debug log. */
  readonly told?: { readonly mac: string; readonly segment: string; readonly reason: string };
  /** The same for the journal, but for what an installed system was simply given. */
  readonly journal?: Omit<JournalRecord, 'seq'>;
  /** An address that is about to be given for the first time: ping it. */
  readonly probe?: string;
  /** What TFTP and scripts are to know of the machine. */
  readonly seen?: Seen;
  /** What is wrong with the segment rather than with one machine. */
  readonly alarm?: Alarm;
}

export type Alarm = Omit<JournalRecord, 'seq'>;

/** A packet's journey but for the I/O: decode, identify, decide, encode. Pure. */
export function answerDatagram(datagram: Incoming, surroundings: Surroundings): Answer {
  const decoded = decode(datagram.bytes);
  if (!decoded.ok) return { count: `dhcp malformed: ${decoded.reason}` };
  const { packet } = decoded;
  if (packet.op !== 'request') return { count: 'dhcp passed over: not a request' };
  // Leases, journal and controller know a machine by its Ethernet address (InfiniBand sends none).
  if (packet.htype !== ETHERNET_HTYPE) return { count: 'dhcp passed over: not Ethernet' };
  const said = identifyClient(packet);
  if (said.vendorClass === ROGUE_PROBE_CLASS) return { count: 'dhcp passed over: a probe of an edge' };

  const { site, leases, rates, conversations, serverAddress, nowMs } = surroundings;
  const served = identifySegment(packet, site, serverAddress);
  if (!served) {
    // Nobody's limits hold here, and the journal must not fill up with strangers.
    if (rates.exceeds('no segment', LOST_PER_SECOND, nowMs)) return { count: 'dhcp passed over: no segment' };
    const reason = `no segment has ${packet.giaddr === '0.0.0.0' ? 'this interface' : `relay ${packet.giaddr}`}`;
    const lost = silent('discover', reason, 'segment_unknown');
    const journal = recordOf(lost, said, undefined, nowMs);
    return { count: 'dhcp passed over: no segment', ...(journal ? { journal } : {}) };
  }
  const held = leases.ofMac(served.segment.name, said.mac);
  const client = withWhatItSaid(said, conversations.recall(said.mac, packet.xid), held);
  const situation: Situation = {
    ...surroundings,
    packet,
    from: datagram,
    client,
    served,
    terms: termsOf(client, served, site),
    serverId: relayIn(packet)?.serverOverride ?? serverAddress,
  };
  const excess = rateExceeded(situation, held, rates);
  // A flood has a MAC for each message: it is told of as a whole, not machine by machine.
  if (excess?.origin !== undefined)
    return { count: 'dhcp over the limit', alarm: alarmOf('limit_reached', situation, excess.reason) };
  const decision = excess
    ? silent('discover', excess.reason, 'limit_reached')
    : decide(situation, surroundings.service);
  // Of a flood nothing is remembered: it would push out what is known of machines.
  const seen = excess ? undefined : seenIn(situation, site.hasBootClasses);
  const answer = answerOf(decision, situation, surroundings);
  return seen ? { ...answer, seen } : answer;
}

/** Policy first, then the protocol. */
function decide(situation: Situation, service: Surroundings['service']): Decision {
  const { packet, served, terms } = situation;
  if (terms.refusedBy !== undefined) {
    const { name, refuse } = terms.refusedBy;
    return silent('discover', `class ${name} is refused: ${refuse}`, 'policy_refused');
  }
  if (service === 'boot-server') return decideBootServer(situation);
  if (served.segment.mode === 'proxy') return decideProxy(situation);
  return isBootp(packet) ? decideBootp(situation) : decideDhcp(situation);
}

function answerOf(decision: Decision, situation: Situation, { site, rates }: Surroundings): Answer {
  const { packet, client, served, nowMs } = situation;
  const count = `dhcp ${decision.kind}`;
  const record = recordOf(decision, client, served, nowMs);
  const told = { mac: client.mac, segment: served.segment.name, reason: decision.reason };
  const journal = record ? { journal: record, told } : { told };
  const lease = decision.lease ? { lease: decision.lease } : {};
  if (decision.kind === 'silent') {
    const alarm = alarmIn(decision, situation, site);
    // A flood of strangers that get nothing must not fill the journal.
    const isFlood = rates.exceeds(`${served.segment.name} unanswered`, UNANSWERED_PER_SECOND, nowMs);
    return { count, ...(isFlood ? { told } : journal), ...lease, ...(alarm ? { alarm } : {}) };
  }
  const bytes = encodeReply(decision.packet, packet);
  // What cannot be said must not be leased either.
  if (!bytes) {
    const mute = silent(decision.stage, 'what it must be told is longer than it takes', 'reply_too_long');
    const unsent = recordOf(mute, client, served, nowMs);
    return { count: 'dhcp reply does not fit', told, ...(unsent ? { journal: unsent } : {}) };
  }
  const isProbed = decision.isNewAddress === true && served.segment.checkConflicts;
  const probe = isProbed ? { probe: decision.packet.yiaddr } : {};
  return {
    count,
    ...journal,
    ...lease,
    ...probe,
    ...saidIn(decision, situation),
    reply: { bytes, to: decision.to },
  };
}

/** Some firmware says what it is in its DISCOVER alone (quirk 20). */
function saidIn(
  { stage }: Decision,
  { client: { mac, isNetworkBoot, vendorClass, architectures }, packet: { xid } }: Situation,
): Pick<Answer, 'said'> {
  const isWorthIt = stage === 'offer' && isNetworkBoot;
  return isWorthIt ? { said: { mac, xid, vendorClass, architectures } } : {};
}

function alarmIn(
  { cause, reason, otherServer }: Decision & { kind: 'silent' },
  situation: Situation,
  { fellows }: Site,
): Alarm | undefined {
  if (cause === 'pool_exhausted') return alarmOf(cause, situation, reason);
  const chosen = otherServer === undefined ? [] : [otherServer];
  const [stranger] = strangersOf(situation.served.segment, fellows, chosen);
  return stranger === undefined ? undefined : rogueAlarm(stranger, situation.served, situation.nowMs);
}

/** @param server the address by which it calls itself. */
export function rogueAlarm(server: string, { segment }: ServedSegment, nowMs: number): Alarm {
  return {
    at: new Date(nowMs).toISOString(),
    stage: 'alarm',
    segment: segment.name,
    address: server,
    cause: 'rogue_server',
    detail: `DHCP server ${server} answers in segment ${segment.name}, and is not welcome there`,
  };
}

function alarmOf(cause: BootCause, { served, nowMs }: Situation, detail: string): Alarm {
  return {
    at: new Date(nowMs).toISOString(),
    stage: 'alarm',
    segment: served.segment.name,
    cause,
    detail: detail.slice(0, DETAIL_CHARACTERS_MOST),
  };
}

function recordOf(
  decision: Decision,
  { mac, uuid, isNetworkBoot }: Client,
  served: ServedSegment | undefined,
  nowMs: number,
): Answer['journal'] {
  // That an installed system got or renewed its lease stands in the history of the leases.
  if (decision.kind === 'reply' && decision.cause === undefined && !isNetworkBoot) return undefined;
  const address =
    addressIn(decision.kind === 'reply' ? decision.packet : undefined) ?? decision.lease?.address;
  return {
    at: new Date(nowMs).toISOString(),
    stage: decision.stage,
    mac,
    ...(uuid === undefined ? {} : { uuid }),
    ...(served === undefined ? {} : { segment: served.segment.name }),
    ...(address === undefined ? {} : { address }),
    ...(decision.cause === undefined ? {} : { cause: decision.cause }),
    ...(isNetworkBoot ? { netboot: true } : {}),
    ...(decision.kind === 'reply' && decision.cause === undefined ? { next: nextOf(decision) } : {}),
    detail: decision.reason.slice(0, DETAIL_CHARACTERS_MOST),
  };
}

function addressIn(reply: DhcpPacket | undefined): string | undefined {
  return reply === undefined || reply.yiaddr === '0.0.0.0' ? undefined : reply.yiaddr;
}

/** What the machine is expected to fetch now. */
function nextOf({ bootFile }: Decision & { kind: 'reply' }): NonNullable<JournalRecord['next']> {
  switch (bootFile?.kind) {
    case 'script':
      return 'script';
    case 'tftp':
    case 'http':
    case 'raspberry-pi':
      return 'firmware';
    default:
      return 'nothing';
  }
}
