import { existsSync, readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { FIRMWARE } from '@bootswarm/ipxe';
import type { BridgeFacts, FirmwareFacts, Holder, InterfaceFacts, PortFacts } from './judge.ts';

const CLOCK_CALL_MS = 10_000;
/** Of /proc/net: a TCP socket that listens. */
const TCP_LISTEN = '0A';
const CENTISECONDS = 100;

export function interfaceFacts(name: string, address: string): InterfaceFacts {
  const folder = `/sys/class/net/${name}`;
  return {
    name,
    address,
    // Reading it fails while the interface is down.
    hasCarrier: textIn(`${folder}/carrier`) === '1',
    mtuBytes: Number(textIn(`${folder}/mtu`)),
  };
}

/** Of the bridge that an interface is, or is a port of. */
export function bridgeFacts(interfaceName: string): BridgeFacts | undefined {
  const folder = `/sys/class/net/${interfaceName}`;
  const isPort = existsSync(`${folder}/brport`);
  const settings = isPort ? `${folder}/brport/bridge/bridge` : `${folder}/bridge`;
  if (!existsSync(settings)) return undefined;
  const bridge = isPort ? (readlinkSync(`${folder}/brport/bridge`).split('/').at(-1) ?? '') : interfaceName;
  return {
    interfaceName,
    bridge,
    hasStp: textIn(`${settings}/stp_state`) !== '0',
    forwardDelaySeconds: Number(textIn(`${settings}/forward_delay`)) / CENTISECONDS,
  };
}

/** How far this clock is before that of a controller, by its Date header, to a second or so. */
export async function clockAgainst(
  url: string,
): Promise<{ readonly aheadSeconds: number } | { readonly reason: string }> {
  try {
    const sentMs = Date.now();
    const response = await fetch(`${url.replace(/\/+$/, '')}/healthz`, {
      signal: AbortSignal.timeout(CLOCK_CALL_MS),
    });
    const midMs = (sentMs + Date.now()) / 2;
    const theirsMs = Date.parse(response.headers.get('date') ?? '');
    if (Number.isNaN(theirsMs)) return { reason: 'its answer has no Date' };
    // The header is cut off to the second.
    return { aheadSeconds: (midMs - theirsMs - 500) / 1000 };
  } catch (error) {
    const cause = error instanceof Error ? (error.cause ?? error) : error;
    return { reason: cause instanceof Error ? cause.message : String(cause) };
  }
}

/** Who holds the ports of an edge with these addresses. */
export function portFacts(
  addresses: readonly string[],
  { httpPort, swarmPort }: { readonly httpPort: number; readonly swarmPort: number },
): readonly PortFacts[] {
  const wanted = [
    { protocol: 'UDP', port: 67, purpose: 'DHCP' },
    { protocol: 'UDP', port: 69, purpose: 'TFTP' },
    { protocol: 'UDP', port: 4011, purpose: 'PXE boot server' },
    { protocol: 'TCP', port: httpPort, purpose: 'HTTP' },
    { protocol: 'TCP', port: swarmPort, purpose: 'swarm' },
  ] as const;
  const open = { UDP: openSockets('udp'), TCP: openSockets('tcp') };
  const inodes = wanted.map(({ protocol, port }) =>
    open[protocol].filter((socket) => socket.port === port && isHeardAt(socket.address, addresses)),
  );
  const holders = inodes.flat().length === 0 ? new Map<string, Holder>() : holdersByInode();
  return wanted.map((each, index) => ({
    ...each,
    holders: unique(
      (inodes[index] ?? []).map(({ inode }) => holders.get(inode) ?? { pid: undefined, commandLine: '' }),
    ),
  }));
}

interface OpenSocket {
  /** Dotted; `0.0.0.0` for any, of IPv6 as well. */
  readonly address: string;
  readonly port: number;
  readonly inode: string;
}

function isHeardAt(address: string, addresses: readonly string[]): boolean {
  return address === '0.0.0.0' || addresses.includes(address);
}

/** proc_net_tcp(5): `sl local remote state ... inode`, addresses in hexadecimal of the host's byte order. */
function openSockets(protocol: 'udp' | 'tcp'): readonly OpenSocket[] {
  return [protocol, `${protocol}6`].flatMap((name) => {
    const [, ...lines] = (textIn(`/proc/net/${name}`) ?? '').split('\n');
    return lines.flatMap((line) => {
      const fields = line.trim().split(/\s+/);
      const [, local = '', , state, , , , , , inode = ''] = fields;
      const [address = '', port = ''] = local.split(':');
      if (protocol === 'tcp' && state !== TCP_LISTEN) return [];
      return [{ address: dotted(address), port: Number.parseInt(port, 16), inode }];
    });
  });
}

function dotted(hexadecimal: string): string {
  if (/^0+$/.test(hexadecimal)) return '0.0.0.0';
  return [...Buffer.from(hexadecimal.slice(-8), 'hex')].reverse().join('.');
}

function holdersByInode(): ReadonlyMap<string, Holder> {
  const holders = new Map<string, Holder>();
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    const links = linksIn(`/proc/${pid}/fd`);
    const inodes = links.flatMap((link) => /^socket:\[(\d+)\]$/.exec(link)?.[1] ?? []);
    if (inodes.length === 0) continue;
    const commandLine = (textIn(`/proc/${pid}/cmdline`) ?? '').split('\0').join(' ').trim();
    for (const inode of inodes) holders.set(inode, { pid: Number(pid), commandLine });
  }
  return holders;
}

/** Those that can be read: processes of other users, and what has just been closed, cannot. */
function linksIn(folder: string): readonly string[] {
  return readable(() => readdirSync(folder)).flatMap((name) =>
    readable(() => [readlinkSync(`${folder}/${name}`)]),
  );
}

function readable(read: () => readonly string[]): readonly string[] {
  try {
    return read();
  } catch {
    return [];
  }
}

function unique(holders: readonly Holder[]): readonly Holder[] {
  return [...new Map(holders.map((holder) => [holder.pid, holder])).values()];
}

export function firmwareFacts(): readonly FirmwareFacts[] {
  return Object.values(FIRMWARE).map((firmware) => ({ ...firmware, found: sizeOf(firmware.path) }));
}

function sizeOf(path: string): FirmwareFacts['found'] {
  try {
    readFileSync(path);
    return { bytes: statSync(path).size };
  } catch (error) {
    return { reason: error instanceof Error ? error.message : String(error) };
  }
}

function textIn(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return undefined;
  }
}
