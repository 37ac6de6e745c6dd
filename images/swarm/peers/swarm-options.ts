import type { ArtefactSource } from '../artefact-source.ts';

/** Caps of one swarm, all its peers together. */
export interface RateLimits {
  /** Bytes a second. */
  readonly upload?: number;
  readonly download?: number;
}

/** How a node takes part in one swarm. */
export interface SwarmOptions {
  /** Leaves the swarm when it is aborted; `completed` then rejects with its reason. */
  readonly signal?: AbortSignal;
  /** Where bytes come from while no peer gives any. */
  readonly webseed?: ArtefactSource;
  readonly rateLimits?: RateLimits;
  /** Peers that may fetch at once; 8 unless said. */
  readonly slots?: number;
  /** 50 unless said. */
  readonly mostConnections?: number;
  /**
   * Whether this is the edge of its segment. It shows different pieces to different machines, and they ask it last for
   * what their neighbours have.
   */
  readonly isEdge?: boolean;
}
