import type { Segment } from '@bootswarm/controller/contract';
import { strangersOf } from '../decide/rogue.ts';
import type { Finding } from './finding.ts';

/** What Ethernet carries, and what relays and machines expect of it. */
export const ETHERNET_MTU = 1500;
/** Firmware gives DHCP up after about this. */
const ROM_PATIENCE_SECONDS = 30;
/** Signatures, leases and logs of edge and controller are compared by their clocks. */
const CLOCK_MOST_SECONDS = 30;

export interface InterfaceFacts {
  readonly name: string;
  readonly address: string;
  readonly hasCarrier: boolean;
  readonly mtuBytes: number;
}

export function judgeInterface({ name, address, hasCarrier }: InterfaceFacts): Finding {
  if (hasCarrier) return { check: 'interface', about: name, result: 'ok', seen: `up, ${address}` };
  return {
    check: 'interface',
    about: name,
    result: 'failed',
    seen: `${address}, and no carrier`,
    remedy: `Check the cable and the switch port, and that it is up: ip link set ${name} up`,
  };
}

export interface RelayFacts {
  readonly address: string;
  /** By which own address it would be reached; undefined without a route. */
  readonly source: string | undefined;
  readonly answersPing: boolean;
  /** Whether a ping of 1500 bytes that must not be fragmented was answered. */
  readonly answersFullPing: boolean;
}

export function judgeRelay({ address, source, answersPing }: RelayFacts): Finding {
  if (source === undefined)
    return {
      check: 'relay',
      about: address,
      result: 'failed',
      seen: 'no route leads there',
      remedy: `Replies to the relay go to this address (giaddr): add a route to it, 'ip route add ... via ...'.`,
    };
  if (answersPing)
    return { check: 'relay', about: address, result: 'ok', seen: `answers ping from ${source}` };
  return {
    check: 'relay',
    about: address,
    result: 'failed',
    seen: `answers no ping from ${source}`,
    remedy:
      'Replies of this edge go to this address, UDP port 67: check the route there and the firewalls on the way. If the router answers no ping by policy, look there whether its DHCP relay counts replies.',
  };
}

export function judgePathMtu({ address, answersPing, answersFullPing }: RelayFacts): Finding {
  const about = `path to ${address}`;
  if (!answersPing)
    return {
      check: 'mtu',
      about,
      result: 'skipped',
      seen: 'it answers no ping',
      remedy: 'See the relay above.',
    };
  if (answersFullPing)
    return { check: 'mtu', about, result: 'ok', seen: `${ETHERNET_MTU} bytes pass unfragmented` };
  return {
    check: 'mtu',
    about,
    result: 'warn',
    seen: `${ETHERNET_MTU} bytes do not pass unfragmented`,
    remedy:
      'A tunnel is on the way. TFTP blocks fit by default; set tftp.blockBytesMost of the segment lower where firmware breaks off, and see that ICMP "fragmentation needed" reaches this edge for HTTP.',
  };
}

export function judgeMtu({ name, mtuBytes }: InterfaceFacts): Finding {
  const seen = `MTU ${mtuBytes}`;
  if (mtuBytes >= ETHERNET_MTU) return { check: 'mtu', about: name, result: 'ok', seen };
  return {
    check: 'mtu',
    about: name,
    result: 'warn',
    seen,
    remedy: `Machines send up to ${ETHERNET_MTU} bytes: ip link set ${name} mtu ${ETHERNET_MTU}, unless a tunnel is meant.`,
  };
}

export interface ServersFacts {
  readonly interfaceName: string;
  /** Of the interface, as the edge last heard of it; undefined where its state is not at hand. */
  readonly served: ServedHere | undefined;
  /** Addresses of those that offered, own ones left out. */
  readonly heard: readonly string[];
  readonly listenSeconds: number;
}

export interface ServedHere {
  /** The other edges of its segments. */
  readonly fellows: ReadonlySet<string>;
  /** Undefined where no segment has the interface's address. */
  readonly segment: Pick<Segment, 'name' | 'mode' | 'otherServers'> | undefined;
}

export function judgeServers({ interfaceName, served, heard, listenSeconds }: ServersFacts): Finding {
  const base = { check: 'servers', about: interfaceName } as const;
  const { mode, otherServers, name } = served?.segment ?? { mode: 'dhcp', otherServers: [], name: undefined };
  const strangers = strangersOf({ mode, otherServers }, served?.fellows ?? new Set(), heard);
  if (strangers.length > 0)
    return {
      ...base,
      result: 'failed',
      seen: `other DHCP servers offer addresses: ${strangers.join(', ')}`,
      remedy: `Find the port behind each address ('ip neighbour') and shut the server there, or ${welcomeThem(name, served)}, if it is meant to be there.`,
    };
  if (heard.length > 0)
    return { ...base, result: 'ok', seen: `DHCP servers that are meant to be: ${heard.join(', ')}` };
  const seen = `no other DHCP server answered within ${listenSeconds} s`;
  if (mode === 'dhcp') return { ...base, result: 'ok', seen };
  return {
    ...base,
    result: 'warn',
    seen: `${seen}, and segment ${name} leaves the addresses to one`,
    remedy: `Look at that server, or let the edge lease the addresses: mode and pools of segment ${name}.`,
  };
}

function welcomeThem(segment: string | undefined, served: ServedHere | undefined): string {
  if (segment !== undefined) return `name it in otherServers of segment ${segment}`;
  return served
    ? 'give the edge the segment of this interface, with it in otherServers'
    : "name the edge's data folder (--data) for what its segments say";
}

export interface BridgeFacts {
  readonly interfaceName: string;
  readonly bridge: string;
  readonly hasStp: boolean;
  readonly forwardDelaySeconds: number;
}

/** @param bridge undefined where the interface is neither a bridge nor a port of one. */
export function judgeStp(interfaceName: string, bridge: BridgeFacts | undefined): Finding {
  const base = { check: 'stp', about: interfaceName } as const;
  const switches =
    'On the switches, set the ports of machines to portfast (edge port): without it they pass nothing for 30 s after each link-up.';
  if (!bridge)
    return {
      ...base,
      result: 'skipped',
      seen: 'spanning tree runs in the switches, and this host cannot see it',
      remedy: `${switches} To measure: time from link-up to the first ping answered, on a port like theirs.`,
    };
  const delay = bridge.hasStp ? 2 * bridge.forwardDelaySeconds : 0;
  if (delay === 0)
    return { ...base, result: 'ok', seen: `bridge ${bridge.bridge} forwards as soon as a port is up` };
  return {
    ...base,
    result: delay >= ROM_PATIENCE_SECONDS ? 'failed' : 'warn',
    seen: `bridge ${bridge.bridge} runs spanning tree: a port forwards ${delay} s after link-up; firmware asks for about ${ROM_PATIENCE_SECONDS} s`,
    remedy: `ip link set ${bridge.bridge} type bridge stp_state 0, or forward_delay 200 (2 s). ${switches}`,
  };
}

/** @param aheadSeconds of this host's clock before the controller's; undefined where it did not answer. */
export function judgeClock(
  url: string,
  answer: { readonly aheadSeconds: number } | { readonly reason: string },
): Finding {
  const base = { check: 'clock', about: url } as const;
  if ('reason' in answer)
    return {
      ...base,
      result: 'failed',
      seen: `the controller does not answer: ${answer.reason}`,
      remedy: "Check the URL, the route and the firewalls on the way; 'curl URL/healthz' says more.",
    };
  const { aheadSeconds } = answer;
  const seen =
    Math.abs(aheadSeconds) < 2
      ? 'agrees with the controller'
      : `${Math.abs(aheadSeconds).toFixed(0)} s ${aheadSeconds > 0 ? 'ahead of' : 'behind'} the controller`;
  if (Math.abs(aheadSeconds) <= CLOCK_MOST_SECONDS) return { ...base, result: 'ok', seen };
  return {
    ...base,
    result: 'failed',
    seen,
    remedy:
      'Let both follow an NTP server: timedatectl set-ntp true; chronyc tracking shows which of them is wrong.',
  };
}

export interface PortFacts {
  readonly protocol: 'UDP' | 'TCP';
  readonly port: number;
  readonly purpose: string;
  /** Programs that have it open on an address of this edge. */
  readonly holders: readonly Holder[];
}

export interface Holder {
  readonly pid: number | undefined;
  readonly commandLine: string;
}

/** How the programs of an edge show themselves: by the service's main, alone or all in one. */
const OURS = /\bedge-node\/service\/main\.ts\b|\bbootswarm-edge\b/;

export function judgePort({ protocol, port, purpose, holders }: PortFacts): Finding {
  const about = `${protocol} ${port} (${purpose})`;
  const others = holders.filter(({ commandLine }) => !OURS.test(commandLine));
  const [first] = holders;
  if (others.length > 0)
    return {
      check: 'ports',
      about,
      result: 'failed',
      seen: `held by ${others.map(textOf).join(', ')}`,
      remedy: 'End that program or have it listen elsewhere: the edge cannot start beside it.',
    };
  return {
    check: 'ports',
    about,
    result: 'ok',
    seen: first ? `held by this edge, ${textOf(first)}` : 'free',
  };
}

function textOf({ pid, commandLine }: Holder): string {
  return pid === undefined
    ? 'a program of another user or namespace'
    : `${commandLine.slice(0, 80)} (pid ${pid})`;
}

export interface FirmwareFacts {
  readonly name: string;
  readonly path: string;
  readonly package: string;
  readonly isRequired: boolean;
  /** Bytes, or why it cannot be read. */
  readonly found: { readonly bytes: number } | { readonly reason: string };
}

export function judgeFirmware(facts: FirmwareFacts): Finding {
  const { name, path, isRequired, found } = facts;
  if ('bytes' in found && found.bytes > 0)
    return { check: 'firmware', about: name, result: 'ok', seen: `${path}, ${found.bytes} bytes` };
  return {
    check: 'firmware',
    about: name,
    result: isRequired ? 'failed' : 'warn',
    seen: 'bytes' in found ? `${path} is empty` : found.reason,
    remedy: `apt-get install --reinstall ${facts.package}${isRequired ? '' : ', if machines are to boot from it'}`,
  };
}
