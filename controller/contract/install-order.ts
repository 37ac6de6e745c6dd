import { z } from 'zod';
import { ImageProfile } from './image-profile.ts';
import { WipeSettings } from './intent.ts';
import { Ipv4, Mac, Name } from './names.ts';
import { ReleaseRef } from './release-ref.ts';
import { SwarmProgress } from './swarm.ts';

/** What the new system is told of the machine that it is installed to. */
export const InstallMachine = z.strictObject({
  id: z.string(),
  hostname: Name,
  domain: z.string().max(253).optional(),
  /** Of the card that it boots by. */
  mac: Mac,
  address: Ipv4,
  prefixLength: z.int().min(1).max(32),
  router: Ipv4.optional(),
  dnsServers: z.array(Ipv4).max(16).default([]),
});
export type InstallMachine = z.infer<typeof InstallMachine>;

/** All that an agent needs to install its machine, beside the signed release itself. */
export const InstallOrder = z.strictObject({
  /** Of the intent: identities of disks and file systems follow from it, so that a second try makes the same. */
  epoch: z.int().positive(),
  /** 1, or 2 after a try that was broken off or failed; there is no third. */
  attempt: z.int().min(1).max(2),
  /** To begin and to end with: bound to machine, segment and epoch, for a minute from when the order was given. */
  ticket: z.string().max(200),
  /** Never a channel: that was followed when the order was given. */
  release: ReleaseRef,
  profile: ImageProfile,
  machine: InstallMachine,
  /** Fetched once by the new system when it is up. */
  firstBootUrl: z.string().max(500),
});
export type InstallOrder = z.infer<typeof InstallOrder>;

/** All that an agent needs to wipe disks. */
export const WipeOrder = z.strictObject({
  /** As those of an installation. */
  epoch: z.int().positive(),
  attempt: z.int().min(1).max(2),
  ticket: z.string().max(200),
  ...WipeSettings.shape,
});
export type WipeOrder = z.infer<typeof WipeOrder>;

/** How far a piece of work is, at least once a second: part of an agent's report. */
export const WorkProgress = z.strictObject({
  /** `fetch`, `partition`, `unpack`: for a person and for benchmarks by stage. */
  step: z.string().max(40),
  doneBytes: z.int().min(0).optional(),
  totalBytes: z.int().min(0).optional(),
  /** Of a step that fetches of a swarm. */
  swarm: SwarmProgress.optional(),
});
export type WorkProgress = z.infer<typeof WorkProgress>;

/** The agent is about to write to a disk: `POST /agent/begin`. Once it is answered the ticket is used up. */
export const WorkBegin = z.strictObject({ ticket: z.string().max(200), plan: z.string().max(20_000) });
export type WorkBegin = z.infer<typeof WorkBegin>;

/**
 * How it ended: `POST /agent/end`. To be sent until it is answered; the same again is answered alike. What fails before
 * it begins ends as well, and uses its ticket up.
 */
export const WorkEnd = z.strictObject({
  ticket: z.string().max(200),
  outcome: z.enum(['done', 'failed']),
  /** Of a failure: a name such as `root_not_found`, `piece_wrong`, `disk_read_error`. */
  cause: z
    .string()
    .regex(/^[a-z][a-z0-9_]{2,63}$/)
    .optional(),
  detail: z.string().max(500),
});
export type WorkEnd = z.infer<typeof WorkEnd>;
