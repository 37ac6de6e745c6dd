import type { Host } from '../lab/index.ts';
import type { Ground } from './ground.ts';
import type { Column } from './matrix.ts';
import { npmDhcp } from './npm-clients.ts';

const LEASE_MS = 30_000;

interface Leaser {
  readonly argv: (host: Host, folder: string) => readonly string[];
  /** What it prints when it has a lease, the address in the first group. */
  readonly bound: RegExp;
  /** Done before, in the host. */
  readonly before?: (host: Host, subnet: string) => Promise<void>;
}

/** DHCP clients; none of them configures anything on this host. */
const LEASERS: Readonly<Record<string, Leaser>> = {
  dhclient: {
    argv: (host, folder) => {
      const files = `${folder}/${host.label}`;
      const own = ['-sf', '/bin/true', '-lf', `${files}.leases`, '-pf', `${files}.pid`];
      return ['dhclient', '-4', '-d', '-1', '-v', ...own, host.interface];
    },
    bound: /DHCPACK of (\S+) from/,
  },
  udhcpc: {
    argv: (host) => [
      'udhcpc',
      '-f',
      '-q',
      '-n',
      '-i',
      host.interface,
      '-s',
      '/bin/true',
      '-t',
      '5',
      '-T',
      '1',
    ],
    bound: /lease of (\S+) obtained/,
  },
  dhcpcd: {
    // It keeps its files where it was built to; `ip netns exec` gives each host mounts of its own.
    argv: (host) => [
      ...['sh', '-ec', 'mount -t tmpfs lab /run; mount -t tmpfs lab /var/lib/dhcpcd; exec "$@"', 'sh'],
      ...['dhcpcd', '-4', '-B', '-1', '-L', '-t', '20', '-f', '/dev/null', '-c', '/bin/true', host.interface],
    ],
    bound: /leased (\S+) for/,
  },
  'npm dhcp': {
    argv: (host) => npmDhcp(host.mac),
    bound: /bound to (\S+)/,
    // It reads plain UDP: the kernel must take what is for an address that the host has not got yet.
    before: async (host, subnet) => {
      await host.run([
        'sysctl',
        '-q',
        '-w',
        'net.ipv4.icmp_echo_ignore_all=1',
        'net.ipv4.conf.all.arp_ignore=8',
        'net.ipv4.conf.all.accept_local=1',
      ]);
      await host.ip(
        `route add local ${subnet} dev ${host.interface}`,
        `route add 255.255.255.255 dev ${host.interface}`,
      );
    },
  },
};

export const DHCP_ROWS = Object.keys(LEASERS);

/** @throws where no lease of the segment's pool comes. */
export async function leaseOnce(ground: Ground, row: string, column: Column): Promise<string> {
  const leaser = LEASERS[row];
  if (!leaser) throw new Error(`there is no client ${row}`);
  const { subnet } = ground.segment('ipxe', column);
  const host = await ground.newHost(column);
  await leaser.before?.(host, subnet.cidr);
  const client = await host.start(leaser.argv(host, ground.lab.folder), { name: row.replace(' ', '-') });
  try {
    const [, address = ''] = await client.output.waitFor(leaser.bound, LEASE_MS);
    const pool = Array.from({ length: 100 }, (_, n) => subnet.address(100 + n));
    if (!pool.includes(address)) throw new Error(`leased ${address}, which is not of the pool`);
    return '';
  } finally {
    await client.stop();
  }
}
