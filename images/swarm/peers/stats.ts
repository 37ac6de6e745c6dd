import type { Peer } from './peer.ts';

/** One connected peer, for operators. */
export interface PeerStats {
  readonly address: string;
  readonly port: number;
  /** Its program, as it calls itself. */
  readonly client: string | undefined;
  /** Pieces that it has. */
  readonly pieces: number;
  readonly isEdge: boolean;
  /** Bytes that came from it and went to it, and a second lately. */
  readonly downloaded: number;
  readonly uploaded: number;
  readonly downloadRate: number;
  readonly uploadRate: number;
  /** Whether it may fetch from us, whether we may from it, and whether it is passed over for being too slow. */
  readonly isChoked: boolean;
  readonly isChoking: boolean;
  readonly isSnubbed: boolean;
}

/** A swarm at one moment. */
export interface SwarmStats {
  readonly pieces: number;
  readonly pieceCount: number;
  /** Bytes, from peers that are gone as well. */
  readonly downloaded: number;
  readonly uploaded: number;
  /** Of those that came: by HTTP, and from the edge. The others are from neighbours. */
  readonly fromWebseed: number;
  readonly fromEdge: number;
  /** Of those that came: for nothing, since they were wrong or late. */
  readonly wasted: number;
  /** Pieces that came whole and were wrong. */
  readonly wrongPieces: number;
  /** Bytes a second lately. */
  readonly downloadRate: number;
  readonly uploadRate: number;
  readonly peers: readonly PeerStats[];
  /** Addresses that gave wrong pieces. */
  readonly banned: readonly string[];
}

export function tellPeer(peer: Peer): PeerStats {
  const { host, port } = peer.link.remote;
  return {
    address: host,
    port: peer.said.port ?? port,
    client: peer.said.client,
    pieces: peer.pieces.size,
    isEdge: peer.isEdge,
    downloaded: peer.down.bytes,
    uploaded: peer.up.bytes,
    downloadRate: peer.down.perSecond,
    uploadRate: peer.up.perSecond,
    isChoked: peer.isChoked,
    isChoking: peer.isChoking,
    isSnubbed: peer.isSnubbed,
  };
}
