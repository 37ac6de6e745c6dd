/** An address that DHCP gave, as the agent's script of udhcpc tells it. */
export interface DhcpLease {
  readonly address: string;
  /** The DHCP server, and where it says that boot files are. */
  readonly server: string | undefined;
  readonly nextServer: string | undefined;
}

/** A line of the script: what happened, and the lease where there is one. */
export interface DhcpNews {
  readonly event: 'bound' | 'lost';
  readonly lease?: DhcpLease;
}

const IPV4 = /^\d{1,3}(\.\d{1,3}){3}$/;

/** `bootswarm-dhcp bound ip=10.1.2.3 serverid=10.1.2.1 siaddr=10.1.2.1`; undefined for whatever else udhcpc says. */
export function parseDhcpNews(line: string): DhcpNews | undefined {
  const [mark, event, ...words] = line.trim().split(/\s+/);
  if (mark !== 'bootswarm-dhcp') return undefined;
  if (event === 'lost') return { event };
  const values = new Map(words.map((word) => word.split('=', 2) as [string, string]));
  const addressOf = (name: string): string | undefined => {
    const value = values.get(name) ?? '';
    return IPV4.test(value) && value !== '0.0.0.0' ? value : undefined;
  };
  const address = addressOf('ip');
  if (event !== 'bound' || address === undefined) return undefined;
  return {
    event,
    lease: { address, server: addressOf('serverid'), nextServer: addressOf('siaddr') },
  };
}

/**
 * Arguments of busybox's udhcpc. Like iPXE it sends 01 and the MAC as its client id; with the UUID (RFC 4578) it is
 * the same machine to a server as its firmware was, and keeps its address. It stays, and renews.
 */
export function udhcpcArguments(link: string, script: string, uuid: string | undefined): string[] {
  return [
    ...['-f', '-i', link, '-s', script, '-t', '4', '-T', '2', '-A', '5'],
    ...['-O', 'mtu', '-V', 'bootswarm-agent'],
    ...(uuid === undefined ? [] : ['-x', `0x61:00${wireUuid(uuid)}`]),
  ];
}

/** SMBIOS 3.6, 7.2.1: the first three fields travel with their low byte first. */
function wireUuid(uuid: string): string {
  const [low = '', mid = '', high = '', ...rest] = uuid.split('-');
  const reversed = (field: string): string => (field.match(/../g) ?? []).toReversed().join('');
  return [low, mid, high].map(reversed).concat(rest).join('');
}
