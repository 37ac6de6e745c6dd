import type { ArtefactSource } from '../artefact-source.ts';
import type { TokenBucket } from './token-bucket.ts';

/** Caps of one swarm, all its peers together. */
export interface RateLimits {
  /** Bytes a second. */
  readonly upload?: number;
  readonly download?: number;
}

/** Caps that several swarms and HTTP share. */
export type RateBuckets = Readonly<Record<keyof RateLimits, TokenBucket>>;

/** How an edge shows its pieces to peers (spreader.ts). */
export interface SpreadOptions {
  /** What one peer is shown ahead of what it has. */
  readonly aheadBytes: number;
  /** Of pieces that another peer has or was shown: so many at once. 0 where bytes are dearer than time. */
  readonly mostRepeated: number;
}

/** How a node takes part in one swarm. */
export interface SwarmOptions {
  /** Leaves the swarm when it is aborted; `completed` then rejects with its reason. */
  readonly signal?: AbortSignal;
  /** Where bytes come from while no peer gives any. */
  readonly webseed?: ArtefactSource;
  readonly rateLimits?: RateLimits;
  /** How long peers may give nothing before the webseed is asked, where some are connected; 4 s unless said. */
  readonly webseedAfterMs?: number;
  /** Told why the webseed gave nothing. */
  readonly onWebseedFailed?: (error: Error) => void;
  /** In the place of `rateLimits`, for several swarms together. */
  readonly buckets?: RateBuckets;
  /** Whether no cap holds for a peer, such as one of the same site. */
  readonly isNear?: (address: string) => boolean;
  /** Peers that may fetch at once; 32 unless said. */
  readonly slots?: number;
  /** 50 unless said. */
  readonly mostConnections?: number;
  /**
   * Whether this is the edge of its segment. It shows different pieces to different machines, and they
   * ask it for what their neighbours have where those do not fill their links.
   */
  readonly isEdge?: boolean;
  /** Of an edge that has all of it; for the machines of a segment unless said. */
  readonly spread?: SpreadOptions;
}
