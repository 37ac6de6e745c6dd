import { Sha256 } from '@bootswarm/images/format';
import { z } from 'zod';
import { Ipv4, Name } from './names.ts';
import { RateSchedule } from './rate-schedule.ts';

/** Where an edge, or the controller, listens for other edges. */
export const SwarmEndpoint = z.object({ address: Ipv4, port: z.int().min(1).max(65535) });
export type SwarmEndpoint = z.infer<typeof SwarmEndpoint>;

/** Of what has an infohash and the desired state names. */
const MOST_ARTEFACTS = 1000;

/**
 * What an edge tells of itself to fetch from other edges, and to be found by them. It tells it again and again: who is
 * silent is no longer told of.
 */
export const EdgeSwarmReport = z.object({
  ...SwarmEndpoint.shape,
  /** SHA-256 of what it has whole. */
  has: z.array(Sha256).max(MOST_ARTEFACTS),
  /** What it lacks, with the bytes that it verified already. */
  fetching: z.array(z.object({ sha256: Sha256, bytes: z.int().nonnegative() })).max(MOST_ARTEFACTS),
});
export type EdgeSwarmReport = z.infer<typeof EdgeSwarmReport>;

/** Whom an edge may fetch what it lacks from. Fields that a later controller adds are passed over. */
export const EdgeSwarmAnswer = z.object({
  /** TCP, at the controller's own address; left out where it gives nothing but HTTP. */
  controllerPort: z.int().min(1).max(65535).optional(),
  /** Addresses of the edges that may connect. */
  edges: z.array(Ipv4),
  /** Those of them that are of the caller's site: no cap holds between them. */
  near: z.array(Ipv4).default([]),
  artefacts: z.array(
    z.object({
      sha256: Sha256,
      /** Whether the caller fetches it from outside its site, the controller among them. */
      outside: z.boolean(),
      /** Who fetches it for the site where the caller does not. */
      by: Name.optional(),
      peers: z.array(SwarmEndpoint),
      /** Edges that lack it and fetch it from outside their sites. */
      fetchers: z.int().positive(),
    }),
  ),
  /** Of the site's edges: what passes its border obeys the least of them. */
  rates: z.array(RateSchedule).default([]),
  /** Edges of the site that fetch from outside, and share its cap. */
  rateSharers: z.int().positive().default(1),
});
export type EdgeSwarmAnswer = z.infer<typeof EdgeSwarmAnswer>;
