import { peerProblem } from './problems.ts';

/** The first bytes on a connection, both ways (BEP 3), with the bits of BEP 6 and BEP 10. */
export interface Handshake {
  /** SHA-1 of the torrent's info dictionary: 20 bytes. */
  readonly infohash: Uint8Array;
  /** 20 bytes. */
  readonly peerId: Uint8Array;
  /** BEP 6: have-all, have-none, reject and the like. */
  readonly fast: boolean;
  /** BEP 10: extended messages. */
  readonly extended: boolean;
}

export const HANDSHAKE_BYTES = 68;
const PROTOCOL = Buffer.from('\x13BitTorrent protocol', 'latin1');
const RESERVED_AT = PROTOCOL.length;
const INFOHASH_AT = RESERVED_AT + 8;
const PEER_ID_AT = INFOHASH_AT + 20;
const EXTENDED_BIT = 0x10;
const FAST_BIT = 0x04;

export function encodeHandshake({ infohash, peerId, fast, extended }: Handshake): Uint8Array {
  const bytes = Buffer.alloc(HANDSHAKE_BYTES);
  bytes.set(PROTOCOL, 0);
  bytes[RESERVED_AT + 5] = extended ? EXTENDED_BIT : 0;
  bytes[RESERVED_AT + 7] = fast ? FAST_BIT : 0;
  bytes.set(infohash, INFOHASH_AT);
  bytes.set(peerId, PEER_ID_AT);
  return bytes;
}

/**
 * Reads a handshake as far as it came.
 * @returns undefined where more must come first.
 * @throws Problem `not_bittorrent`, at the first byte that can't belong to one.
 */
export function decodeHandshake(bytes: Uint8Array): Handshake | undefined {
  const come = Math.min(bytes.length, PROTOCOL.length);
  if (PROTOCOL.compare(bytes, 0, come, 0, come) !== 0) throw peerProblem('not_bittorrent');
  if (bytes.length < HANDSHAKE_BYTES) return undefined;
  return {
    infohash: bytes.slice(INFOHASH_AT, PEER_ID_AT),
    peerId: bytes.slice(PEER_ID_AT, HANDSHAKE_BYTES),
    fast: ((bytes[RESERVED_AT + 7] as number) & FAST_BIT) !== 0,
    extended: ((bytes[RESERVED_AT + 5] as number) & EXTENDED_BIT) !== 0,
  };
}
