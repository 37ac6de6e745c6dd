import type { FirstBoot } from './image-profile.ts';
import type { InstallMachine } from './install-order.ts';

/** What of a machine its network follows from; on a medium nobody knows its address, and perhaps not its card. */
export type NetworkedMachine = Pick<InstallMachine, 'router' | 'dnsServers' | 'domain'> &
  Partial<Pick<InstallMachine, 'mac' | 'address' | 'prefixLength'>>;

/**
 * The card that a machine boots by, as netplan(5) and cloud-init's network configuration of version 2 have it. JSON is
 * YAML, so that nothing needs to be quoted. Pure.
 */
export function networkVersion2(machine: NetworkedMachine, mode: FirstBoot['network']): object {
  const { mac, domain, router, dnsServers } = machine;
  const nameservers = {
    ...(dnsServers.length === 0 ? {} : { addresses: dnsServers }),
    ...(domain === undefined ? {} : { search: [domain] }),
  };
  const cidr = cidrOf(machine, mode);
  const card = {
    match: mac === undefined ? { name: 'e*' } : { macaddress: mac },
    ...(cidr === undefined
      ? { dhcp4: true, 'dhcp-identifier': 'mac' }
      : {
          dhcp4: false,
          addresses: [cidr],
          ...(router === undefined
            ? {}
            : {
                routes: [{ to: '0.0.0.0/0', via: router, ...(isOnLink(machine) ? { 'on-link': true } : {}) }],
              }),
          ...(Object.keys(nameservers).length === 0 ? {} : { nameservers }),
        }),
  };
  return { version: 2, ethernets: { bootswarm: card } };
}

/** What it keeps for good; undefined where it asks DHCP. */
export function cidrOf(
  { address, prefixLength }: Pick<NetworkedMachine, 'address' | 'prefixLength'>,
  mode: FirstBoot['network'],
): string | undefined {
  return mode === 'dhcp' || address === undefined ? undefined : `${address}/${prefixLength}`;
}

/** A router that the address's own prefix does not cover is reached through the card all the same. */
export function isOnLink({ prefixLength = 0 }: Pick<NetworkedMachine, 'prefixLength'>): boolean {
  return prefixLength >= 31;
}
