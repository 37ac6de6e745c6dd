/** Which relay agent stands between a segment and the core; `none`: the core is in the segment itself. */
export type RelayKind = 'dhcrelay' | 'dnsmasq' | 'none';

export interface RelayCommand {
  readonly argv: readonly string[];
  /** What it prints once it listens. */
  readonly listens: RegExp;
}

/**
 * The command line of a relay agent on a router whose interfaces are `segment` and `core`.
 * @param giaddr the router's address in the segment.
 * @param servers where it relays to.
 */
export function relayCommand(
  kind: Exclude<RelayKind, 'none'>,
  giaddr: string,
  servers: readonly string[],
  flags: readonly string[],
): RelayCommand {
  if (kind === 'dhcrelay') {
    const interfaces = ['-id', 'segment', '-iu', 'core'];
    return {
      argv: ['dhcrelay', '-4', '-d', '--no-pid', ...interfaces, ...flags, ...servers],
      listens: /Sending on\s+Socket\/fallback/,
    };
  }
  return {
    argv: [
      // Port 0: no DNS. As root it keeps to itself; by default it would become another user and write a pid file.
      ...['dnsmasq', '--keep-in-foreground', '--conf-file=/dev/null', '--port=0', '--user=root'],
      ...['--pid-file', '--log-facility=-', '--log-dhcp', ...flags],
      ...servers.map((server) => `--dhcp-relay=${giaddr},${server}`),
    ],
    listens: new RegExp(`DHCP relay from ${giaddr}`.replaceAll('.', '\\.')),
  };
}
