import type { DhcpClass, Sighting } from '@bootswarm/controller/contract';

/** What a class may ask for and still be told apart without a DHCP packet at hand. */
const KNOWN_CONDITIONS = new Set(['ouis', 'macs', 'uuids', 'segments']);

/**
 * Whether a class holds for a machine that speaks TFTP or HTTP. Only classes by OUI, MAC, UUID and segment can:
 * what else a class may ask for, platform and relay among it, is in DHCP packets alone.
 * @param client undefined where nobody knows which machine it is.
 */
export function holdsOutsideDhcp(
  match: DhcpClass['match'],
  segment: string | undefined,
  client: Sighting | undefined,
): boolean {
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
