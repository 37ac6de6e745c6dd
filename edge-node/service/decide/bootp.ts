import { allocate } from './allocate.ts';
import type { BootFile } from './boot-file.ts';
import { destinationOf } from './destination.ts';
import { FOREVER_MS } from './lease.ts';
import { limitReached } from './lease-limits.ts';
import { renderBootp } from './reply.ts';
import { type Decision, leaseOf, type Situation, silent } from './situation.ts';

/**
 * A client that speaks BOOTP without DHCP (RFC 951, RFC 1534): by the policy of its segment it gets nothing, the
 * address reserved for it, or one of the pools, which is then its own for good.
 */
export function decideBootp(situation: Situation): Decision {
  const { served, terms } = situation;
  const { bootp, name } = served.segment;
  if (bootp === 'refuse') return silent('discover', `segment ${name} serves no BOOTP`, 'bootp_refused');
  if (bootp === 'reserved' && terms.reserved?.definition.address === undefined)
    return silent('discover', 'BOOTP is for machines with a reserved address here', 'bootp_refused');
  const allocation = allocate(situation, undefined);
  if (allocation.kind === 'none')
    return silent('discover', `there is no address for it in segment ${name}`, allocation.cause);
  const { address } = allocation;
  const overLimit = limitReached(situation, address);
  if (overLimit !== undefined) return silent('discover', overLimit, 'limit_reached');
  const bootFile = bootFileOf(situation);
  return {
    kind: 'reply',
    stage: 'lease',
    packet: renderBootp(situation, address, bootFile),
    lease: leaseOf(situation, address, 'bound', FOREVER_MS),
    to: destinationOf(situation),
    reason: `BOOTP: ${address} for good${bootFile ? `, ${bootFile.reason}` : ''}`,
    ...(bootFile ? { bootFile } : {}),
  };
}

/** It may name the file itself (RFC 951, section 3); else what policy names for a BIOS. */
function bootFileOf({ packet, terms, hasFile }: Situation): BootFile | undefined {
  const file = packet.file || terms.firmware.bios;
  return file !== undefined && hasFile(file) ? { kind: 'tftp', file, reason: file } : undefined;
}
