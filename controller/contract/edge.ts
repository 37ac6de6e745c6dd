import { ChannelPointer, KernelArgument, Manifest } from '@bootswarm/images/format';
import { z } from 'zod';
import { DhcpPolicy } from './dhcp-policy.ts';
import { MachineVariables } from './installer-profile.ts';
import { Intent } from './intent.ts';
import { MiniSetting } from './mini.ts';
import { Instant, Ipv4, Mac, Name, Uuid } from './names.ts';
import { Profile } from './profile.ts';
import { RateSchedule } from './rate-schedule.ts';
import { Segment } from './segment.ts';

/** What an edge says of itself: which desired state it follows, and which artefacts it has verified. */
export const EdgeStatus = z.strictObject({
  revision: z.int().min(0),
  /** By which it calls itself to DHCP clients. */
  addresses: z.array(Ipv4).max(64).default([]),
  /** SHA-256 of every artefact that is verified and being served. */
  ready: z.array(z.string()),
  /** Artefacts that it could not fetch or verify yet, with the reason. */
  waiting: z.array(z.strictObject({ sha256: z.string(), reason: z.string().max(500) })),
  /** Bytes of artefacts since it started: those that came from the controller or other edges, and those it had in others. */
  transfer: z
    .strictObject({ fetchedBytes: z.int().nonnegative(), reusedBytes: z.int().nonnegative() })
    .optional(),
});
export type EdgeStatus = z.infer<typeof EdgeStatus>;

export const Edge = z.strictObject({
  name: Name,
  joinedAt: Instant.optional(),
  lastSeenAt: Instant.optional(),
  status: EdgeStatus.optional(),
  /** Edges of one site fetch what is outside through one of them. */
  site: Name.optional(),
  /** Of what edges fetch from outside their site, and give there. */
  rate: RateSchedule.optional(),
  /** Highest journal `seq` taken in. */
  journalSeq: z.int().min(0),
});
export type Edge = z.infer<typeof Edge>;

/** What is to be set of an edge: null takes it away, and what is left out stays. */
export const EdgeSettings = z.strictObject({
  site: Name.nullable().optional(),
  rate: RateSchedule.nullable().optional(),
});
export type EdgeSettings = z.infer<typeof EdgeSettings>;

export const EdgeInvitation = z.strictObject({
  edge: Edge,
  /** Works once, for a day. It is shown once: only its hash is kept. */
  joinToken: z.string(),
  expiresAt: Instant,
});

export const EdgeCredentials = z.strictObject({
  name: Name,
  /** The edge's bearer token. */
  token: z.string(),
  /** base64 SPKI Ed25519: whose signature on a desired state the edge believes. */
  controllerKey: z.string(),
});
export type EdgeCredentials = z.infer<typeof EdgeCredentials>;

/** What an edge needs of a machine to boot it. */
export const DesiredMachine = z.strictObject({
  id: z.string(),
  macs: z.array(Mac).min(1),
  uuid: Uuid.optional(),
  intent: Intent,
  /** Of the intent: what writes to a disk is done once for each. 0 where it is left out. */
  epoch: z.int().nonnegative().optional(),
  /** Highest epoch that an edge has used up, as far as the controller heard. */
  spentEpoch: z.int().positive().optional(),
  /** Why that epoch failed for good, where it did. */
  spentFailure: z.string().max(600).optional(),
  variables: MachineVariables.optional(),
  /** Behind the profile's, and in their place where they name the same: `mergedArguments`. */
  kernelArguments: z.array(KernelArgument).max(64).optional(),
});

/** All that an edge needs to serve its segments on its own. Signed by the controller. */
export const DesiredState = z.strictObject({
  format: z.literal(1),
  edge: Name,
  /** Counts up; an edge never goes back to a lower one. */
  revision: z.int().min(0),
  segments: z.array(Segment),
  policy: DhcpPolicy.prefault({}),
  /** Addresses of the other edges of these segments: no strangers there. */
  fellows: z.array(Ipv4).default([]),
  machines: z.array(DesiredMachine),
  /** That a machine above names. */
  profiles: z.array(Profile).optional(),
  /** Of every release that a segment, machine or profile above names. */
  releases: z.array(Manifest),
  /** That a segment or machine above names. An edge follows one only as far as signed metadata says the same. */
  channels: z.array(ChannelPointer).default([]),
  /** Releases of the mini image; every edge wants them. */
  mini: MiniSetting.optional(),
  /** The first root of trust, for an edge that has none: it goes on from there and never takes another. */
  trustRoot: z.string().optional(),
});
export type DesiredState = z.infer<typeof DesiredState>;
