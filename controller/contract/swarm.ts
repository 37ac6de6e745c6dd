import { z } from 'zod';
import { Cidr, Ipv4 } from './names.ts';

const BytesASecond = z.int().min(1024).max(1e12);

/** How the machines of a segment share what they fetch at the same time. */
export const SwarmPolicy = z.strictObject({
  /**
   * From so many machines on that fetch the same, they fetch of one another; fewer do so of the edge alone, by HTTP.
   * Where it is left out, what was measured to be right on most networks.
   */
  from: z.int().min(1).max(1_000_000).optional(),
  /** Bytes a second that each machine gives to its neighbours at most. */
  machineRate: BytesASecond.optional(),
});
export type SwarmPolicy = z.infer<typeof SwarmPolicy>;

/** With whom a machine shares what it fetches: part of an agent's order. */
export const SwarmTerms = z.strictObject({
  /** Of its segment: its neighbours have addresses of it. */
  subnet: Cidr,
  /** The edge, which is their tracker, too, and has the pieces at first. */
  edge: Ipv4,
  /** Bytes a second that it gives at most. */
  uploadRate: BytesASecond.optional(),
});
export type SwarmTerms = z.infer<typeof SwarmTerms>;

const Bytes = z.int().min(0);

/** Where the bytes of an artefact came from, and where they went: part of an agent's progress. */
export const SwarmProgress = z.strictObject({
  /** That are connected now. */
  peers: z.int().min(0),
  fromNeighbours: Bytes,
  fromEdge: Bytes,
  /** By HTTP, as peers gave nothing. */
  fromHttp: Bytes,
  given: Bytes,
  /** Bytes a second lately. */
  downloadRate: Bytes,
  uploadRate: Bytes,
  /** Addresses that gave wrong pieces. */
  banned: z.array(Ipv4).max(64).default([]),
});
export type SwarmProgress = z.infer<typeof SwarmProgress>;
