import { messageType, serverId as serverIdOption } from '@bootswarm/edge-node/dhcp4';
import { destinationOf } from './destination.ts';
import { renderBootReply } from './reply.ts';
import { bootFileOf, type Decision, type Situation, silent } from './situation.ts';

/**
 * Beside another server, which gives the addresses: the edge only offers what to boot (PXE 2.1, section 2.2.1,
 * proxyDHCP). What the client then asks that server is none of its business.
 */
export function decideProxy(situation: Situation): Decision {
  if (messageType.read(situation.packet.options) !== 'DISCOVER') {
    const chosen = serverIdOption.read(situation.packet.options);
    const isOther = chosen !== undefined && chosen !== situation.serverId;
    const reason = 'another server leases addresses here';
    return { kind: 'silent', stage: 'lease', reason, ...(isOther ? { otherServer: chosen } : {}) };
  }
  const bootFile = bootFileOf(situation);
  if (!bootFile)
    return silent('discover', 'it does not boot from the network, and another server leases addresses here');
  if (bootFile.kind === 'none') return silent('discover', bootFile.reason, bootFile.cause);
  return {
    kind: 'reply',
    stage: 'offer',
    packet: renderBootReply('OFFER', situation, bootFile),
    to: destinationOf(situation),
    reason: `offer without an address, ${bootFile.reason}`,
    bootFile,
  };
}

/** A boot server on port 4011, which answers where the request came from (PXE 2.1, section 2.4.5; quirk 5). */
export function decideBootServer(situation: Situation): Decision {
  const { packet, from } = situation;
  const type = messageType.read(packet.options);
  if (type !== 'REQUEST' && type !== 'DISCOVER' && type !== 'INFORM')
    return silent('lease', 'a boot server is only asked for a boot file');
  const bootFile = bootFileOf(situation);
  if (!bootFile) return silent('lease', 'it asks a boot server, and does not boot from the network');
  if (bootFile.kind === 'none') return silent('lease', bootFile.reason, bootFile.cause);
  return {
    kind: 'reply',
    stage: 'lease',
    packet: renderBootReply('ACK', situation, bootFile),
    to: from,
    reason: `told on port 4011: ${bootFile.reason}`,
    bootFile,
  };
}
