import type { BootCause } from '@bootswarm/controller/contract';
import type { DhcpPacket } from '@bootswarm/edge-node/dhcp4';
import { type BootFile, chooseBootFile } from './boot-file.ts';
import type { Client } from './client.ts';
import { DIRECT, type Lease, type LeaseView, type Origin } from './lease.ts';
import type { ServedSegment } from './site.ts';
import type { Terms } from './terms.ts';

/** All that a decision may depend on. */
export interface Situation {
  readonly packet: DhcpPacket;
  /** The datagram's source. */
  readonly from: { readonly address: string; readonly port: number };
  readonly client: Client;
  readonly served: ServedSegment;
  readonly terms: Terms;
  readonly leases: LeaseView;
  /** The address by which the client reaches this edge. */
  readonly serverAddress: string;
  /** The address by which this edge calls itself to the client: its own, or the relay's (RFC 5107). */
  readonly serverId: string;
  /** Of this edge's HTTP, such as `http://10.1.2.2:8480`. */
  readonly httpUrl: string;
  /** Whether the edge's boot tree has a file of that name. */
  readonly hasFile: (name: string) => boolean;
  readonly nowMs: number;
}

/** Which part of a boot a decision is about. */
export type Stage = 'discover' | 'offer' | 'lease';

interface Decided {
  readonly stage: Stage;
  /** For a person. */
  readonly reason: string;
  /** Why the boot goes no further; left out where it does. */
  readonly cause?: BootCause;
  readonly lease?: Lease;
}

export interface Reply extends Decided {
  readonly kind: 'reply';
  readonly packet: DhcpPacket;
  readonly to: Destination;
  /** What the machine was told to load, where it boots from the network. */
  readonly bootFile?: BootFile;
  /** Whether somebody else may be using the address: worth a ping beside the offer. */
  readonly isNewAddress?: boolean;
}

export type Decision = Reply | (Decided & { readonly kind: 'silent'; readonly otherServer?: string });

/** `broadcast` is 255.255.255.255 on the client's own link. */
export interface Destination {
  readonly address: string | 'broadcast';
  readonly port: number;
}

export function silent(stage: Stage, reason: string, cause?: BootCause): Decision {
  return { kind: 'silent', stage, reason, ...(cause === undefined ? {} : { cause }) };
}

/** What the client loads next, by what there is and by policy. */
export function bootFileOf({ client, terms, httpUrl, hasFile }: Situation): BootFile | undefined {
  return chooseBootFile(client, { httpUrl, hasFile, firmware: terms.firmware });
}

/** A cause to be told where there is a boot file that cannot be had. */
export function causeOf(bootFile: BootFile | undefined): { readonly cause?: BootCause } {
  return bootFile?.kind === 'none' ? { cause: bootFile.cause } : {};
}

export function leaseOf(
  { client, served, terms }: Situation,
  address: string,
  state: Lease['state'],
  expiresAtMs: number,
): Lease {
  const { segment } = served;
  const { relay, port } = originsOf(client, segment.name);
  const isReserved = terms.reserved?.definition.address === address;
  return {
    segment: segment.name,
    address,
    mac: client.mac,
    state,
    expiresAtMs,
    ...(client.uuid === undefined ? {} : { uuid: client.uuid }),
    ...(isReserved && terms.reserved ? { reservation: terms.reserved.key } : {}),
    ...(!isReserved && segment.limits.leasesPerRelay !== undefined ? { relay: relay.name } : {}),
    ...(!isReserved && segment.limits.leasesPerPort !== undefined && port ? { port: port.name } : {}),
  };
}

/** The relay and, where that tells it, the switch port that a client is behind. */
export function originsOf(
  { relay = DIRECT, circuitId, remoteId }: Client,
  segment: string,
): { readonly relay: Origin; readonly port: Origin | undefined } {
  const hex = (bytes: Uint8Array | undefined): string => (bytes ? Buffer.from(bytes).toString('hex') : '');
  const port = circuitId || remoteId ? `${relay} ${hex(remoteId)} ${hex(circuitId)}` : undefined;
  return {
    relay: { segment, kind: 'relay', name: relay },
    port: port === undefined ? undefined : { segment, kind: 'port', name: port },
  };
}
