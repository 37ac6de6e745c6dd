import { isForBoot } from './known-classes.ts';
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
export function seenIn({ client, served, terms }: Situation, hasBootClasses: boolean): Seen | undefined {
  if (!hasBootClasses) return undefined;
  const { mac, uuid } = client;
  const classes = terms.classes.filter(isForBoot).map(({ name }) => name);
  return { segment: served.segment.name, mac, uuid, classes };
}
