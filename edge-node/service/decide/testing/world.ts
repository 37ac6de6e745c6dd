import { type DhcpPolicy, ipv4ToNumber, numberToIpv4, Segment } from '@bootswarm/controller/contract';
import {
  type DhcpPacket,
  type MessageType,
  messageType,
  requestedAddress,
  serverId,
} from '@bootswarm/edge-node/dhcp4';
import { requestWith } from '@bootswarm/edge-node/dhcp4/testing';
import { identifyClient } from '../client.ts';
import type { Lease, LeaseView, Origin } from '../lease.ts';
import type { RateView } from '../rates.ts';
import { compileSite, type Pool, type ServedSegment, type Site } from '../site.ts';
import type { Situation } from '../situation.ts';
import { termsOf } from '../terms.ts';

export const NOW_MS = Date.UTC(2026, 0, 1);
export const SERVER = '10.99.0.1';
export const HTTP_URL = 'http://10.99.0.1:8480';
export const MAC = '52:54:00:aa:00:01';
export const OTHER_MAC = '52:54:00:aa:00:02';
export const NO_POLICY: DhcpPolicy = { options: {}, classes: [] };
const USUAL_FILES = new Set(['undionly.kpxe', 'snponly.efi']);

/** 10.99.0.0/24 with the pool 100 to 109, and with what a case is about. */
export function segmentWith(facts: Partial<Segment> = {}): Segment {
  return Segment.parse({
    name: 'seg',
    subnet: '10.99.0.0/24',
    pools: [{ first: '10.99.0.100', last: '10.99.0.109' }],
    router: '10.99.0.254',
    dnsServers: ['10.99.0.53'],
    domain: 'lab.example',
    edges: ['edge'],
    ...facts,
  });
}

/** A live, bound lease of the machine that cases are about, with what a case is about. */
export function leaseWith(facts: Partial<Lease> = {}): Lease {
  return {
    segment: 'seg',
    address: '10.99.0.101',
    mac: MAC,
    state: 'bound',
    expiresAtMs: NOW_MS + 1000,
    ...facts,
  };
}

/** Leases as they are given, one for each address; of two of one machine the later in the list is its last. */
export class FakeLeases implements LeaseView {
  readonly #leases: readonly Lease[];

  constructor(...leases: readonly Lease[]) {
    this.#leases = leases;
  }

  ofMac(segment: string, mac: string): Lease | undefined {
    return this.#leases.findLast(
      (lease) => lease.segment === segment && lease.mac === mac && lease.state !== 'declined',
    );
  }

  at(address: string): Lease | undefined {
    return this.#leases.find((lease) => lease.address === address);
  }

  unusedIn(pool: Pool, from: number): number | undefined {
    const addresses = numbersIn(pool);
    const at = addresses.findIndex((address) => address >= from);
    return [...addresses.slice(at), ...addresses.slice(0, at)].find(
      (address) => this.at(numberToIpv4(address)) === undefined,
    );
  }

  longestFreeIn(pool: Pool, nowMs: number): Lease | undefined {
    const [first] = numbersIn(pool)
      .flatMap((address) => this.at(numberToIpv4(address)) ?? [])
      .toSorted((a, b) => a.expiresAtMs - b.expiresAtMs);
    return first && first.expiresAtMs <= nowMs ? first : undefined;
  }

  isFull({ kind, name }: Origin, most: number, nowMs: number): boolean {
    return this.#leases.filter((lease) => lease[kind] === name && lease.expiresAtMs > nowMs).length >= most;
  }

  isQuarantineFull(_segment: string, most: number, nowMs: number): boolean {
    const kept = this.#leases.filter(({ state, expiresAtMs }) => state === 'declined' && expiresAtMs > nowMs);
    return kept.length >= most;
  }
}

/** Counts without a clock: all is within one second. */
export class FakeRates implements RateView {
  readonly #counts = new Map<string, number>();

  exceeds(key: string, most: number): boolean {
    const count = (this.#counts.get(key) ?? 0) + 1;
    this.#counts.set(key, count);
    return count > most;
  }
}

function numbersIn(pool: Pool): readonly number[] {
  return Array.from({ length: pool.last - pool.first + 1 }, (_, offset) => pool.first + offset).filter(
    (address) => !pool.isBarred(address),
  );
}

export interface Sent {
  readonly mac?: string;
  /** Option 50. */
  readonly requested?: string;
  /** Option 54. */
  readonly server?: string;
  readonly fields?: Partial<DhcpPacket>;
  readonly options?: readonly (readonly [number, Uint8Array])[];
}

/** A client's packet. */
export function packetOf(type: MessageType, sent: Sent = {}): DhcpPacket {
  const { mac = MAC, requested, server, fields = {}, options = [] } = sent;
  return requestWith({
    chaddr: Uint8Array.from(mac.split(':'), (byte) => Number.parseInt(byte, 16)),
    ...fields,
    options: new Map([
      messageType.write(type),
      ...(requested === undefined ? [] : [requestedAddress.write(requested)]),
      ...(server === undefined ? [] : [serverId.write(server)]),
      ...options,
    ]),
  });
}

/** What a case says of the segment, the policy and the rest; everything else is as usual. */
export interface Circumstances extends Partial<Omit<Situation, 'served' | 'terms'>> {
  readonly segment?: Segment;
  readonly policy?: DhcpPolicy;
}

export function siteOf(segment: Segment = segmentWith(), policy: DhcpPolicy = NO_POLICY): Site {
  return compileSite({ segments: [segment], policy });
}

export function situationOf(packet: DhcpPacket, circumstances: Circumstances = {}): Situation {
  const { segment = segmentWith(), policy, client = identifyClient(packet), ...facts } = circumstances;
  const site = siteOf(segment, policy);
  const served = servedIn(site, segment);
  return {
    packet,
    from: { address: '10.99.0.1', port: 67 },
    client,
    served,
    terms: termsOf(client, served, site),
    leases: new FakeLeases(),
    serverAddress: SERVER,
    serverId: SERVER,
    httpUrl: HTTP_URL,
    hasFile: (name) => USUAL_FILES.has(name),
    nowMs: NOW_MS,
    ...facts,
  };
}

export function servedIn(site: Site, segment: Segment): ServedSegment {
  const served = site.segmentOf(segment.subnet.replace(/\/\d+$/, ''));
  if (!served) throw new Error(`the site has no segment ${segment.name}`);
  return served;
}

/** Every address of a segment's pools. */
export function poolOf({ pools }: Segment): readonly string[] {
  return pools.flatMap(({ first, last }) => {
    const size = ipv4ToNumber(last) - ipv4ToNumber(first) + 1;
    const prefix = first.split('.').slice(0, 3).join('.');
    return Array.from({ length: size }, (_, index) => `${prefix}.${(ipv4ToNumber(first) & 255) + index}`);
  });
}
