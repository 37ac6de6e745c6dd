import { cidrOf, type FirstBoot, isOnLink, networkVersion2 } from '@bootswarm/controller/contract';
import type { TargetMachine } from '../terms.ts';
import { type Change, enable, file, link, remove, type SystemView, unitIn } from './view.ts';

type Machine = Pick<TargetMachine, 'mac' | 'address' | 'prefixLength' | 'router' | 'dnsServers' | 'domain'>;
type Mode = FirstBoot['network'];

const NETPLAN = ['/usr/sbin/netplan', '/sbin/netplan', '/usr/bin/netplan'];
const WANTS = '/etc/systemd/system/multi-user.target.wants';
const RESOLVED_STUB = '/run/systemd/resolve/stub-resolv.conf';

export type NetworkKind = 'netplan' | 'NetworkManager' | 'systemd-networkd';

/**
 * What brings up the network in the image. All three know a card by its MAC, or take any: names of cards are given by the
 * installed system, and nobody here knows them. That is why ifupdown, which goes by names, gives way to systemd's own, that is
 * in every image with systemd.
 */
export function networkKind(view: SystemView): NetworkKind | undefined {
  if (NETPLAN.some((path) => view.has(path)) && view.has('/etc/netplan')) return 'netplan';
  const enabled = view.list(WANTS);
  if (enabled.includes('NetworkManager.service')) return 'NetworkManager';
  return unitIn(view, 'systemd-networkd.service') === undefined ? undefined : 'systemd-networkd';
}

export function networkChanges(
  view: SystemView,
  kind: NetworkKind,
  machine: Machine,
  mode: Mode,
): readonly Change[] {
  switch (kind) {
    case 'netplan':
      return [file('/etc/netplan/90-bootswarm.yaml', netplanText(machine, mode), 0o600)];
    case 'NetworkManager':
      // Others' are left out: it takes none that anybody can read.
      return [
        file(
          '/etc/NetworkManager/system-connections/bootswarm.nmconnection',
          connectionText(machine, mode),
          0o600,
        ),
      ];
    case 'systemd-networkd':
      return networkdChanges(view, machine, mode);
  }
}

/** systemd.network(5) */
function networkdChanges(view: SystemView, machine: Machine, mode: Mode): readonly Change[] {
  const unit = 'systemd-networkd.service';
  const unitPath = unitIn(view, unit);
  const hasIfupdown = view.has('/etc/network/interfaces');
  const others = view
    .list('/etc/network/interfaces.d')
    .map((name) => remove(`/etc/network/interfaces.d/${name}`));
  return [
    // Before what the image may have for any card: the first file that matches counts.
    file('/etc/systemd/network/05-bootswarm.network', networkText(machine, mode)),
    ...(unitPath === undefined ? [] : [enable(unitPath, unit)]),
    ...(hasIfupdown ? [file('/etc/network/interfaces', 'auto lo\niface lo inet loopback\n'), ...others] : []),
    ...resolverChanges(view, machine),
  ];
}

/** systemd-networkd tells name servers to systemd-resolved alone: without that the file is written here. */
function resolverChanges(view: SystemView, { dnsServers, domain }: Machine): readonly Change[] {
  const resolved = unitIn(view, 'systemd-resolved.service');
  if (resolved !== undefined)
    return [enable(resolved, 'systemd-resolved.service'), link('/etc/resolv.conf', `..${RESOLVED_STUB}`)];
  if (dnsServers.length === 0) return [];
  const search = domain === undefined ? [] : [`search ${domain}`];
  return [
    file(
      '/etc/resolv.conf',
      [...search, ...dnsServers.map((server) => `nameserver ${server}`), ''].join('\n'),
    ),
  ];
}

function networkText(machine: Machine, mode: Mode): string {
  const { mac, domain, router, dnsServers } = machine;
  const cidr = cidrOf(machine, mode);
  // Bridges and their like are Ethernet, too, and of a kind; cards are of none.
  const match = ['[Match]', mac === undefined ? 'Kind=!*' : `MACAddress=${mac}`, 'Type=ether', ''];
  if (cidr === undefined)
    // The edge knows the machine by its card: the lease is the one that it booted by.
    return [...match, '[Network]', 'DHCP=ipv4', '', '[DHCPv4]', 'ClientIdentifier=mac', ''].join('\n');
  return [
    ...match,
    '[Network]',
    `Address=${cidr}`,
    ...dnsServers.map((server) => `DNS=${server}`),
    ...(domain === undefined ? [] : [`Domains=${domain}`]),
    '',
    ...(router === undefined
      ? []
      : ['[Route]', `Gateway=${router}`, ...(isOnLink(machine) ? ['GatewayOnLink=yes'] : []), '']),
  ].join('\n');
}

/** nm-settings-keyfile(5) */
function connectionText(machine: Machine, mode: Mode): string {
  const { mac, domain, router, dnsServers } = machine;
  const list = (values: readonly string[]): string => values.map((value) => `${value};`).join('');
  const cidr = cidrOf(machine, mode);
  const ipv4 =
    cidr === undefined
      ? ['method=auto', 'dhcp-client-id=mac']
      : [
          'method=manual',
          `address1=${cidr}${router === undefined ? '' : `,${router}`}`,
          ...(dnsServers.length === 0 ? [] : [`dns=${list(dnsServers)}`]),
          ...(domain === undefined ? [] : [`dns-search=${list([domain])}`]),
        ];
  return [
    ...['[connection]', 'id=bootswarm', 'type=ethernet', 'autoconnect-priority=100'],
    // 3: on several cards at once.
    ...(mac === undefined ? ['multi-connect=3', ''] : ['', '[ethernet]', `mac-address=${mac}`, '']),
    ...['[ipv4]', ...ipv4, ''],
    ...['[ipv6]', 'method=auto', ''],
  ].join('\n');
}

/** netplan(5). */
function netplanText(machine: Machine, mode: Mode): string {
  return `${JSON.stringify({ network: networkVersion2(machine, mode) }, undefined, 2)}\n`;
}
