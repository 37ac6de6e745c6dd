import { ipv4ToNumber, Segment } from '@bootswarm/controller/contract';
import {
  type DhcpPacket,
  type MessageType,
  messageType,
  requestedAddress,
  serverId,
} from '@bootswarm/edge-node/dhcp4';
import { requestWith } from '@bootswarm/edge-node/dhcp4/testing';
import type { Situation } from '../dhcp.ts';
import { identifyClient } from '../identify.ts';
import type { Lease, LeaseView } from '../lease.ts';

export const NOW_MS = Date.UTC(2026, 0, 1);
export const SERVER = '10.99.0.1';
export const HTTP_URL = 'http://10.99.0.1:8480';
export const MAC = '52:54:00:aa:00:01';
export const OTHER_MAC = '52:54:00:aa:00:02';

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

export function situationOf(packet: DhcpPacket, facts: Partial<Situation> = {}): Situation {
  return {
    packet,
    client: identifyClient(packet),
    segment: segmentWith(),
    leases: new FakeLeases(),
    serverAddress: SERVER,
    httpUrl: HTTP_URL,
    nowMs: NOW_MS,
    ...facts,
  };
}

/** Every address of a segment's pools. */
export function poolOf({ pools }: Segment): readonly string[] {
  return pools.flatMap(({ first, last }) => {
    const size = ipv4ToNumber(last) - ipv4ToNumber(first) + 1;
    const prefix = first.split('.').slice(0, 3).join('.');
    return Array.from({ length: size }, (_, index) => `${prefix}.${(ipv4ToNumber(first) & 255) + index}`);
  });
}
