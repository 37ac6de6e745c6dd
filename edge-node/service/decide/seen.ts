import { messageType, requestedAddress } from '@bootswarm/edge-node/dhcp4';
import { isForBoot } from './known-classes.ts';
import { isInSegment } from './site.ts';
import type { Situation } from './situation.ts';

/** What a DHCP packet tells of a machine that TFTP and HTTP do not. */
export interface Seen {
  readonly segment: string;
  readonly mac: string;
  readonly uuid?: string | undefined;
  /** Names of the classes that hold for it and bear on TFTP or its script; left out where none can. */
  readonly classes?: readonly string[];
  /** Where another server gave it. */
  readonly address?: string;
}

/** @param hasBootClasses whether policy has classes that bear on what follows DHCP. */
export function seenIn(situation: Situation, hasBootClasses: boolean): Seen | undefined {
  const { client, served, terms } = situation;
  const address = addressFromElsewhere(situation);
  if (!hasBootClasses && address === undefined) return undefined;
  const { mac, uuid } = client;
  const classes = terms.classes.filter(isForBoot).map(({ name }) => name);
  return {
    segment: served.segment.name,
    mac,
    uuid,
    ...(hasBootClasses ? { classes } : {}),
    ...(address === undefined ? {} : { address }),
  };
}

/** The address that a client takes or has from the other server of a proxy segment: nothing else here tells it. */
function addressFromElsewhere({ packet, served }: Situation): string | undefined {
  if (served.segment.mode !== 'proxy' || messageType.read(packet.options) === 'DISCOVER') return undefined;
  const address = packet.ciaddr === '0.0.0.0' ? requestedAddress.read(packet.options) : packet.ciaddr;
  return address !== undefined && isInSegment(served, address) ? address : undefined;
}
