import type { DhcpClass, Sighting } from '@bootswarm/controller/contract';

/** What a class may ask for and still be told apart where no DHCP packet was seen, as after a restart. */
const KNOWN_CONDITIONS = new Set(['ouis', 'macs', 'uuids', 'segments']);

/** Whether a class bears on what follows DHCP. */
export function isForBoot({ tftp, vlan }: Pick<DhcpClass, 'tftp' | 'vlan'>): boolean {
  return tftp !== undefined || vlan !== undefined;
}

/** A machine that speaks TFTP or HTTP, as far as it is known. */
export interface Caller {
  readonly segment: string | undefined;
  /** Undefined where nobody knows which machine it is. */
  readonly client: Sighting | undefined;
  /** Names of the classes that held when it last spoke DHCP. */
  readonly classes: readonly string[];
}

/**
 * Whether a class holds for a machine that speaks TFTP or HTTP. One by OUI, MAC, UUID or segment is told by the machine
 * itself; what else a class may ask for, platform and relay among it, is in DHCP packets alone.
 */
export function holdsAfterDhcp(
  { name, match }: Pick<DhcpClass, 'name' | 'match'>,
  { segment, client, classes }: Caller,
): boolean {
  if (classes.includes(name)) return true;
  const asked = Object.entries(match).filter(([, value]) => value !== undefined);
  if (!asked.every(([name]) => KNOWN_CONDITIONS.has(name))) return false;
  const { ouis, macs, uuids, segments } = match;
  return (
    (ouis === undefined || (client !== undefined && ouis.includes(client.mac.slice(0, 8)))) &&
    (macs === undefined || (client !== undefined && macs.includes(client.mac))) &&
    (uuids === undefined || (client?.uuid !== undefined && uuids.includes(client.uuid))) &&
    (segments === undefined || (segment !== undefined && segments.includes(segment)))
  );
}
