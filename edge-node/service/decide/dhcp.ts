import type { Segment } from '@bootswarm/controller/contract';
import {
  type DhcpPacket,
  isBootp,
  messageType,
  requestedAddress,
  serverId,
} from '@bootswarm/edge-node/dhcp4';
import { allocate, inPools, inSubnet } from './allocate.ts';
import { type BootFile, chooseBootFile } from './boot-file.ts';
import type { Client } from './identify.ts';
import { isFreeFor, type Lease, type LeaseView } from './lease.ts';
import { renderNak, renderReply } from './reply.ts';

/** An address found in use is given to nobody for this long. */
const QUARANTINE_MS = 60 * 60 * 1000;
/** An offer is kept for its machine for this long. */
const OFFER_MS = 60 * 1000;

/** All that a decision may depend on. */
export interface Situation {
  readonly packet: DhcpPacket;
  readonly client: Client;
  readonly segment: Segment;
  readonly leases: LeaseView;
  /** The address by which the client reaches this edge. */
  readonly serverAddress: string;
  /** Of this edge's HTTP, such as `http://10.1.2.2:8480`. */
  readonly httpUrl: string;
  readonly nowMs: number;
}

export type Decision =
  | {
      readonly kind: 'reply';
      readonly packet: DhcpPacket;
      /** Must be durable before the packet leaves. */
      readonly lease?: Lease;
      readonly to: Destination;
      readonly reason: string;
      /** What the machine was told to load, where it boots from the network. */
      readonly bootFile?: BootFile;
    }
  | { readonly kind: 'silent'; readonly lease?: Lease; readonly reason: string };

/** `broadcast` is 255.255.255.255 on the client's own link. */
export interface Destination {
  readonly address: string | 'broadcast';
  readonly port: 67 | 68;
}

/** What to answer, and which lease to keep (RFC 2131, section 4.3). Pure. */
export function decideDhcp(situation: Situation): Decision {
  const { packet } = situation;
  if (isBootp(packet)) return silent('BOOTP without DHCP is not served');
  switch (messageType.read(packet.options)) {
    case 'DISCOVER':
      return decideDiscover(situation);
    case 'REQUEST':
      return decideRequest(situation);
    case 'DECLINE':
      return decideDecline(situation);
    case 'RELEASE':
      return decideRelease(situation);
    case 'INFORM':
      return decideInform(situation);
    default:
      return silent('only a server sends such a message');
  }
}

function decideDiscover(situation: Situation): Decision {
  const { packet, client, segment, leases, nowMs } = situation;
  const address = allocate(segment, client.mac, requestedAddress.read(packet.options), leases, nowMs);
  if (address === undefined) return silent(`the pools of segment ${segment.name} are exhausted`);
  const held = leases.ofMac(segment.name, client.mac);
  const stillBound = held?.address === address && held.state === 'bound' && held.expiresAtMs > nowMs;
  const bootFile = chooseBootFile(client, situation.httpUrl);
  return {
    kind: 'reply',
    packet: renderReply('OFFER', situation, address, bootFile),
    // Whoever holds a lease keeps it as it is: an offer must not shorten it.
    ...(stillBound ? {} : { lease: leaseOf(situation, address, 'offered', nowMs + OFFER_MS) }),
    to: destinationOf(packet),
    reason: `offer ${address}${bootFile ? `, ${bootFile.reason}` : ''}`,
    ...(bootFile ? { bootFile } : {}),
  };
}

function decideRequest(situation: Situation): Decision {
  const { packet, client, segment, leases, serverAddress, nowMs } = situation;
  const chosenServer = serverId.read(packet.options);
  const requested = requestedAddress.read(packet.options);
  const held = leases.ofMac(segment.name, client.mac);
  if (chosenServer !== undefined && chosenServer !== serverAddress) {
    const offered = held?.state === 'offered' ? { lease: { ...held, expiresAtMs: nowMs } } : {};
    return { kind: 'silent', ...offered, reason: `the client chose server ${chosenServer}` };
  }
  const wanted = packet.ciaddr === '0.0.0.0' ? requested : packet.ciaddr;
  if (wanted === undefined) return silent('a REQUEST that names no address');
  if (!inSubnet(segment, wanted)) return nak(situation, `${wanted} is not in segment ${segment.name}`);
  const there = leases.at(wanted);
  if (!isFreeFor(there, client.mac, nowMs)) return nak(situation, `${wanted} belongs to another machine`);
  const isOwn = there?.mac === client.mac;
  if (!isOwn && held && held.expiresAtMs > nowMs)
    return nak(situation, `this machine has ${held.address}, not ${wanted}`);
  // INIT-REBOOT, RENEWING, REBINDING of somebody we know nothing of: another server may (RFC 2131, 4.3.2).
  if (!isOwn && chosenServer === undefined) return silent(`${wanted} is no lease of this edge`);
  if (!inPools(segment, wanted)) return nak(situation, `${wanted} is in no pool of segment ${segment.name}`);
  return ack(situation, wanted);
}

function ack(situation: Situation, address: string): Decision {
  const { packet, segment, nowMs } = situation;
  const bootFile = chooseBootFile(situation.client, situation.httpUrl);
  return {
    kind: 'reply',
    packet: renderReply('ACK', situation, address, bootFile),
    lease: leaseOf(situation, address, 'bound', nowMs + segment.leaseSeconds * 1000),
    to: destinationOf(packet),
    reason: `lease ${address} for ${segment.leaseSeconds} s${bootFile ? `, ${bootFile.reason}` : ''}`,
    ...(bootFile ? { bootFile } : {}),
  };
}

function nak(situation: Situation, reason: string): Decision {
  const { giaddr } = situation.packet;
  return {
    kind: 'reply',
    packet: renderNak(situation, reason),
    // Never to ciaddr: the client must not use it (RFC 2131, section 4.3.2).
    to: giaddr === '0.0.0.0' ? { address: 'broadcast', port: 68 } : { address: giaddr, port: 67 },
    reason,
  };
}

function decideDecline(situation: Situation): Decision {
  const { packet, client, leases, nowMs } = situation;
  const address = requestedAddress.read(packet.options);
  const lease = address === undefined ? undefined : leases.at(address);
  if (lease === undefined || lease.mac !== client.mac || !isDeclinable(lease, nowMs))
    return silent('a DECLINE of an address that is not its own');
  return {
    kind: 'silent',
    lease: { ...lease, state: 'declined', expiresAtMs: nowMs + QUARANTINE_MS },
    reason: `${address} is in use by somebody else: nobody gets it for an hour`,
  };
}

/** A quarantine is not made longer by asking for it again. */
function isDeclinable({ state, expiresAtMs }: Lease, nowMs: number): boolean {
  return expiresAtMs > nowMs && (state === 'offered' || state === 'bound');
}

function decideRelease(situation: Situation): Decision {
  const { packet, client, leases, nowMs } = situation;
  const lease = leases.at(packet.ciaddr);
  if (lease === undefined || lease.mac !== client.mac || lease.state !== 'bound')
    return silent('a RELEASE of an address that is not its own');
  return {
    kind: 'silent',
    lease: { ...lease, state: 'released', expiresAtMs: nowMs },
    reason: `released ${packet.ciaddr}`,
  };
}

/**
 * No address and no lease: it has one from elsewhere. It is answered at that address even through a relay,
 * which could only pass the answer on to yiaddr (RFC 2131, section 4.3.5).
 */
function decideInform(situation: Situation): Decision {
  const { packet, segment } = situation;
  if (packet.ciaddr === '0.0.0.0') return silent('an INFORM without its address');
  if (!inSubnet(segment, packet.ciaddr)) return silent(`an INFORM from outside segment ${segment.name}`);
  const bootFile = chooseBootFile(situation.client, situation.httpUrl);
  return {
    kind: 'reply',
    packet: renderReply('ACK', situation, undefined, bootFile),
    to: { address: packet.ciaddr, port: 68 },
    reason: `options for ${packet.ciaddr}`,
  };
}

function leaseOf(situation: Situation, address: string, state: Lease['state'], expiresAtMs: number): Lease {
  const { client, segment } = situation;
  return {
    segment: segment.name,
    address,
    mac: client.mac,
    state,
    expiresAtMs,
    ...(client.uuid === undefined ? {} : { uuid: client.uuid }),
  };
}

/**
 * RFC 2131, section 4.1. A relay is answered at giaddr whatever its source address was (quirk 17). A client
 * that has no address yet is reached by broadcast: unicast to its hardware address needs a raw socket.
 */
function destinationOf({ giaddr, ciaddr }: DhcpPacket): Destination {
  if (giaddr !== '0.0.0.0') return { address: giaddr, port: 67 };
  if (ciaddr !== '0.0.0.0') return { address: ciaddr, port: 68 };
  return { address: 'broadcast', port: 68 };
}

function silent(reason: string): Decision {
  return { kind: 'silent', reason };
}
