import { messageType, requestedAddress, serverId as serverIdOption } from '@bootswarm/edge-node/dhcp4';
import { allocate, mayHold } from './allocate.ts';
import type { BootFile } from './boot-file.ts';
import { destinationOf, nakDestinationOf } from './destination.ts';
import { isFreeFor, type Lease } from './lease.ts';
import { limitReached } from './lease-limits.ts';
import { quarantined, quarantineText } from './quarantine.ts';
import { renderNak, renderReply } from './reply.ts';
import { isInSegment } from './site.ts';
import { bootFileOf, causeOf, type Decision, leaseOf, type Situation, silent } from './situation.ts';

/** An offer is kept for its machine for this long. */
const OFFER_MS = 60 * 1000;

/** What to answer, and which lease to keep (RFC 2131, section 4.3). Pure. */
export function decideDhcp(situation: Situation): Decision {
  switch (messageType.read(situation.packet.options)) {
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
      return silent('discover', 'only a server sends such a message');
  }
}

function decideDiscover(situation: Situation): Decision {
  const { packet, client, served, leases, nowMs } = situation;
  const { name } = served.segment;
  const allocation = allocate(situation, requestedAddress.read(packet.options));
  if (allocation.kind === 'none')
    return silent(
      'discover',
      allocation.cause === 'pool_none'
        ? `segment ${name} has no pool for this machine`
        : `the pools of segment ${name} are exhausted`,
      allocation.cause,
    );
  const { address, isNew } = allocation;
  const held = leases.ofMac(name, client.mac);
  const isHeld = held?.address === address && held.expiresAtMs > nowMs;
  const overLimit = limitReached(situation, address);
  if (overLimit !== undefined) return silent('discover', overLimit, 'limit_reached');
  const bootFile = bootFileOf(situation);
  return {
    kind: 'reply',
    stage: 'offer',
    packet: renderReply('OFFER', situation, address, bootFile),
    // Whoever holds a lease keeps it as it is: an offer must not shorten it.
    ...(isHeld && held.state === 'bound'
      ? {}
      : { lease: leaseOf(situation, address, 'offered', nowMs + OFFER_MS) }),
    to: destinationOf(situation),
    reason: `offer ${address}${bootFileText(bootFile)}`,
    ...causeOf(bootFile),
    ...(bootFile ? { bootFile } : {}),
    isNewAddress: isNew && !isHeld,
  };
}

function decideRequest(situation: Situation): Decision {
  const { packet, client, served, terms, leases, serverId, nowMs } = situation;
  const { name } = served.segment;
  const chosenServer = serverIdOption.read(packet.options);
  const requested = requestedAddress.read(packet.options);
  const held = leases.ofMac(name, client.mac);
  if (chosenServer !== undefined && chosenServer !== serverId) {
    const offered = held?.state === 'offered' ? { lease: { ...held, expiresAtMs: nowMs } } : {};
    return {
      ...silent('lease', `the client chose server ${chosenServer}`, 'other_server'),
      ...offered,
      otherServer: chosenServer,
    } as Decision;
  }
  const wanted = packet.ciaddr === '0.0.0.0' ? requested : packet.ciaddr;
  if (wanted === undefined) return silent('lease', 'a REQUEST that names no address', 'address_refused');
  if (!isInSegment(served, wanted)) return nak(situation, `${wanted} is not in segment ${name}`);
  const there = leases.at(wanted);
  const isOwn = there?.mac === client.mac;
  if (isOwn && there.state === 'declined' && there.expiresAtMs > nowMs)
    return nak(situation, `${wanted} is in use by somebody else`, 'address_conflict');
  if (!isFreeFor(there, { mac: client.mac, reservation: terms.reserved?.key }, nowMs))
    return nak(situation, `${wanted} belongs to another machine`);
  if (!isOwn && held && held.expiresAtMs > nowMs)
    return nak(situation, `this machine has ${held.address}, not ${wanted}`);
  // INIT-REBOOT, RENEWING, REBINDING of somebody we know nothing of: another server may (RFC 2131, 4.3.2).
  if (!isOwn && chosenServer === undefined) return silent('lease', `${wanted} is no lease of this edge`);
  if (!mayHold(situation, wanted)) return nak(situation, `${wanted} is in no pool for this machine`);
  // Whoever never asked for an offer must not get past the limits of one.
  const overLimit = limitReached(situation, wanted);
  if (overLimit !== undefined) return silent('lease', overLimit, 'limit_reached');
  return ack(situation, wanted);
}

function ack(situation: Situation, address: string): Decision {
  const { served, nowMs } = situation;
  const { leaseSeconds } = served.segment;
  const bootFile = bootFileOf(situation);
  return {
    kind: 'reply',
    stage: 'lease',
    packet: renderReply('ACK', situation, address, bootFile),
    lease: leaseOf(situation, address, 'bound', nowMs + leaseSeconds * 1000),
    to: destinationOf(situation),
    reason: `lease ${address} for ${leaseSeconds} s${bootFileText(bootFile)}`,
    ...causeOf(bootFile),
    ...(bootFile ? { bootFile } : {}),
  };
}

function nak(
  situation: Situation,
  reason: string,
  cause: 'address_refused' | 'address_conflict' = 'address_refused',
): Decision {
  return {
    kind: 'reply',
    stage: 'lease',
    packet: renderNak(situation, reason),
    to: nakDestinationOf(situation),
    reason,
    cause,
  };
}

function decideDecline(situation: Situation): Decision {
  const { packet, client, served, leases, nowMs } = situation;
  const address = requestedAddress.read(packet.options);
  const lease = address === undefined ? undefined : leases.at(address);
  if (lease === undefined || lease.mac !== client.mac || !isDeclinable(lease, nowMs))
    return silent('lease', 'a DECLINE of an address that is not its own');
  const declined = quarantined(lease, served, leases, nowMs);
  return {
    kind: 'silent',
    stage: 'lease',
    lease: declined,
    reason: `${address} is in use by somebody else: ${quarantineText(declined, nowMs)}`,
    cause: 'address_conflict',
  };
}

/** A quarantine is not made longer by asking for it again. */
function isDeclinable({ state, expiresAtMs }: Lease, nowMs: number): boolean {
  return expiresAtMs > nowMs && (state === 'offered' || state === 'bound');
}

function decideRelease({ packet, client, leases, nowMs }: Situation): Decision {
  const lease = leases.at(packet.ciaddr);
  if (lease === undefined || lease.mac !== client.mac || lease.state !== 'bound')
    return silent('lease', 'a RELEASE of an address that is not its own');
  return {
    kind: 'silent',
    stage: 'lease',
    lease: { ...lease, state: 'released', expiresAtMs: nowMs },
    reason: `released ${packet.ciaddr}`,
  };
}

/**
 * No address and no lease: it has one from elsewhere. It is answered at that address even through a relay,
 * which could only pass the answer on to yiaddr (RFC 2131, section 4.3.5).
 */
function decideInform(situation: Situation): Decision {
  const { packet, served } = situation;
  const { name } = served.segment;
  if (packet.ciaddr === '0.0.0.0') return silent('lease', 'an INFORM without its address');
  if (!isInSegment(served, packet.ciaddr)) return silent('lease', `an INFORM from outside segment ${name}`);
  const bootFile = bootFileOf(situation);
  return {
    kind: 'reply',
    stage: 'lease',
    packet: renderReply('ACK', situation, undefined, bootFile),
    to: { address: packet.ciaddr, port: 68 },
    reason: `options for ${packet.ciaddr}`,
    ...causeOf(bootFile),
    ...(bootFile ? { bootFile } : {}),
  };
}

function bootFileText(bootFile: BootFile | undefined): string {
  return bootFile ? `, ${bootFile.reason}` : '';
}
